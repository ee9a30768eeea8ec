//! Sets up one scenario and performs it as often as it is told: what `.ci/instructions` counts the instructions of.
//! Usage: `instructions SCENARIO COUNT`, or `instructions` for the names of all.

mod events;
mod floors;
mod requests;
mod swap;

use std::process::ExitCode;

/// Sets up, and performs an operation so many times.
type Scenario = fn(usize);

const SCENARIOS: &[(&str, Scenario)] = &[
    ("table-1", floors::table::<1>),
    ("table-8", floors::table::<8>),
    ("indirect-call", floors::indirect_call),
    ("publish-1", events::publish_1),
    ("publish-8", events::publish_8),
    ("publish-64", events::publish_64),
    ("publish-exclusive-8", events::publish_exclusive_8),
    ("request-handle", requests::by_handle),
    ("request-client", requests::by_client),
    ("request-name", requests::by_name),
    ("replace", swap::replace),
];

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    if args.is_empty() {
        SCENARIOS.iter().for_each(|(name, _)| println!("{name}"));
        return ExitCode::SUCCESS;
    }
    let scenario = SCENARIOS.iter().find(|(name, _)| *name == args[0]);
    match (scenario, args.get(1).map(|count| count.parse())) {
        (Some((_, run)), Some(Ok(count))) => {
            run(count);
            ExitCode::SUCCESS
        }
        _ => {
            eprintln!("found `{}`, expected `SCENARIO COUNT`, or nothing for the names", args.join(" "));
            ExitCode::FAILURE
        }
    }
}
