//! `cargo kernel`: builds the kernel, boots it, shows what it says, and ends as it ended.
//!
//! Exit: 0 success, 1 the kernel or the machine failed, 2 called wrongly, 3 something is not installed, 124 the deadline.
#![forbid(unsafe_code)]

use std::io;
use std::process::ExitCode;
use std::time::Duration;

use clap::Parser;
use kernel_boot::{Board, BootError, Status, Time, Verdict, boot, build};

/// Boots the kernel example, which runs the demo's modules, and shows its console.
#[derive(Debug, Parser)]
#[command(name = "cargo kernel", after_help = SCENARIOS)]
struct Args {
    /// The machine
    #[arg(long, value_enum, default_value = "x86_64")]
    board: Board,
    /// Runs in the time of the wall; else an instruction is 16 ns and waiting takes none, so that each run is the same
    #[arg(long)]
    real_time: bool,
    /// After so many seconds it is taken for hung
    #[arg(long, value_name = "SECONDS", default_value = "60", value_parser = clap::value_parser!(u64).range(1..=86_400))]
    deadline: u64,
    /// What is typed on its console
    #[arg(long, value_name = "TEXT", default_value = "shutdown")]
    input: String,
    /// What is shown, and a case of it
    #[arg(value_name = "SCENARIO", default_value = "demo")]
    scenario: Vec<String>,
}

const SCENARIOS: &str = "\
Scenarios, and how they end:
  demo                                   the tour: success
  ticks storm reentrant swap latency     success
  deadlock, deadlock raw                 success; hangs until the deadline
  oom, oom fatal                         success; out of memory
  panic                                  panic
  fault stack|null|code|data             fault (x86_64 alone protects its memory)
  misuse log                             success
  misuse alloc|lock|print|publish|twice  stopped before it would have hung";

fn main() -> ExitCode {
    let args = Args::parse();
    let time = if args.real_time { Time::Real } else { Time::Counted };
    let deadline = Duration::from_secs(args.deadline);
    let input = format!("{}\n", args.input);
    let outcome = build(args.board).and_then(|image| {
        boot(args.board, &image, &args.scenario.join(" "), time, &input, deadline, &mut io::stdout())
    });
    match outcome {
        Ok(outcome) => {
            eprintln!("{}: {}", args.board.name(), outcome.verdict);
            match outcome.verdict {
                Verdict::Ended(Status::Success) => ExitCode::SUCCESS,
                Verdict::TimedOut => ExitCode::from(124),
                _ => ExitCode::FAILURE,
            }
        }
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::from(if matches!(error, BootError::Missing { .. }) { 3 } else { 1 })
        }
    }
}
