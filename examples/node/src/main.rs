//! Runs a node for a few seconds, and prints what each module saw and did: `cargo run -p node`.

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use clap::Parser;
use helix_host::{Cargo, LogBook};
use node::{Fault, MODULES, NodeConfig, Running, build};
use node_contracts::{Count, Report};

/// A node with four modules in processes of their own: governance, mesh, lightning and stratum-v2.
#[derive(Debug, Parser)]
struct Args {
    /// End after so many seconds
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u64).range(1..=3600))]
    seconds: u64,
    /// The configuration
    #[arg(long, default_value = concat!(env!("CARGO_MANIFEST_DIR"), "/node.toml"))]
    config: PathBuf,
    /// Where the modules' crates are
    #[arg(long, default_value = env!("CARGO_MANIFEST_DIR"))]
    folder: PathBuf,
    /// Where cargo puts what it builds; its own choice without
    #[arg(long)]
    target_dir: Option<PathBuf>,
}

fn main() -> ExitCode {
    if std::env::args().nth(1).as_deref() == Some(helix_host::VERB) {
        helix_host::serve();
    }
    match run(&Args::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(fault) => {
            eprintln!("error: {fault}");
            ExitCode::FAILURE
        }
    }
}

fn run(args: &Args) -> Result<(), Fault> {
    let log = LogBook::leaked(log::LevelFilter::Warn);
    // Another logger would be this program's own, and there is none.
    let _ = log::set_logger(log);
    log::set_max_level(log::LevelFilter::Info);
    let config = NodeConfig::read(&args.config)?;
    let own = std::env::current_exe().map_err(|error| Fault::Io { what: "this program".into(), error })?;
    let cargo = Cargo { target_dir: args.target_dir.clone(), ..Cargo::default() };
    let libraries = build(&args.folder, &cargo, |name, took| println!("built {name} in {:.1} s", took.as_secs_f64()))?;

    let node = Running::start(&config, &libraries, &own, Some(log))?;
    let [first, second] = node.webhooks();
    println!("running for {} s; governance posts to {}", args.seconds, first.address());
    let half = Duration::from_millis(args.seconds * 500);
    std::thread::sleep(half);
    node.reconfigure()?;
    println!("its configuration is rewritten: from here on to {}", second.address());
    std::thread::sleep(half);

    for name in ["node"].into_iter().chain(MODULES) {
        show(&node, name);
    }
    println!("\nwebhooks\n  {} was told {}", first.address(), shown(first.received()));
    println!("  {} was told {}", second.address(), shown(second.received()));
    node.stop()?;
    println!("\nstopped");
    Ok(())
}

/// What a module has seen and done, and what it may.
fn show(node: &Running, name: &str) {
    let host = node.host();
    let restarts = host.modules().iter().find(|module| module.name == name).map_or(0, |module| module.restarts);
    let place = match host.info(name).ok().and_then(|info| info.process) {
        Some(process) => format!("process {}, {restarts} restarts; {}", process.pid, process.sandbox.join(", ")),
        None => "in the program".into(),
    };
    println!("\n{name}  {place}");
    match node.report(name) {
        Ok(Report { heard, done }) => {
            println!("  heard  {}", counts(&heard));
            println!("  done   {}", counts(&done));
        }
        Err(error) => println!("  {error}"),
    }
    if let Some(permits) = host.permissions().into_iter().find(|permits| permits.module == name) {
        let names = |counts: std::collections::BTreeMap<String, u64>| {
            counts.into_keys().filter(|name| !name.starts_with("subscribe")).collect::<Vec<_>>().join(", ")
        };
        println!("  used   {}", names(permits.used));
        if !permits.denied.is_empty() {
            println!("  denied {}", names(permits.denied));
        }
    }
}

fn counts(counts: &[Count]) -> String {
    if counts.is_empty() {
        return "-".into();
    }
    counts.iter().map(|count| format!("{} {}", count.what, count.times)).collect::<Vec<_>>().join(", ")
}

fn shown(received: Vec<String>) -> String {
    match received.last() {
        Some(last) => format!("{} times, last {last}", received.len()),
        None => "nothing".into(),
    }
}
