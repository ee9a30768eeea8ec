//! The hosted demo: modules that start, talk and stop, driven by a real clock.
//!
//! stdout gets the report, stderr everything else. Exit: 0 done, 1 failed, 2 called wrongly.
#![forbid(unsafe_code)]

mod config;
mod drive;
mod failure;
mod report;
mod script;
mod text;
mod witness;

use std::fmt::Write as _;
use std::io::{self, Write as _};
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{CommandFactory, FromArgMatches, Parser};
use helix_runtime::{Config, ModuleSet, Runtime, modules};

use failure::Failure;
use report::Report;
use witness::Witness;

/// Starts Helix modules, lets them talk for a while, and tells what happened.
#[derive(Debug, Parser)]
#[command(version)]
struct Args {
    /// A TOML file with a table for each module; what it does not set stays as it is
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// For how long the modules run
    #[arg(long, value_name = "SECONDS", default_value = "1.5", value_parser = seconds)]
    seconds: f64,
    /// Prints the report as one JSON document
    #[arg(long)]
    json: bool,
}

fn seconds(text: &str) -> Result<f64, String> {
    let seconds: f64 = text.parse().map_err(|_| "expected a number of seconds, such as 1.5".to_string())?;
    if (0.05..=3600.0).contains(&seconds) { Ok(seconds) } else { Err("expected 0.05 to 3600 seconds".into()) }
}

/// The modules of the demo. Nothing else in this program names one.
fn modules() -> ModuleSet {
    modules![memory_watch::MemoryWatch, round_robin::RoundRobin, journal::Journal, timer::Timer]
}

fn main() -> ExitCode {
    let matches = Args::command().after_help(keys()).get_matches();
    let args = match Args::from_arg_matches(&matches) {
        Ok(args) => args,
        Err(error) => error.exit(),
    };
    match run(&args).and_then(|report| print(&args, &report)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            // Where even stderr is closed, there is nobody left to tell.
            let _ = writeln!(io::stderr(), "error: {failure}\n  fix: {}", failure.fix());
            ExitCode::FAILURE
        }
    }
}

fn run(args: &Args) -> Result<Report, Failure> {
    let config = config::load(args.config.as_deref())?;
    let at_fault = || args.config.clone();
    let (witness, seen) = Witness::new();
    let runtime = Runtime::builder()
        .config(config)
        // It is listed first and needs nobody, so it is there before all others and goes after them.
        .add(Box::new(witness))
        .modules(modules())
        .build()
        .map_err(|error| Failure::Build { error, file: at_fault() })?;
    runtime.start().map_err(|error| Failure::Start { error: Box::new(error), file: at_fault() })?;
    let _ = writeln!(io::stderr(), "{} modules run for {} s ...", runtime.modules().len(), args.seconds);
    let mut report = drive::drive(&runtime, args.seconds)?;
    runtime.stop().map_err(|error| Failure::Stop(Box::new(error)))?;
    report.stopped = seen.stopped();
    Ok(report)
}

fn print(args: &Args, report: &Report) -> Result<(), Failure> {
    let text = if args.json {
        serde_json::to_string_pretty(report).map_err(io::Error::from).map_err(Failure::Print)? + "\n"
    } else {
        text::render(report)
    };
    match io::stdout().write_all(text.as_bytes()).and_then(|()| io::stdout().flush()) {
        // Whoever reads has seen enough.
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        written => written.map_err(Failure::Print),
    }
}

/// The configuration keys of all modules, as the modules themselves document them.
fn keys() -> String {
    let mut text = String::from("Configuration keys with their defaults, in a table for each module:\n");
    let built_in = config::load(None).unwrap_or_default();
    for descriptor in modules().descriptors() {
        let _ = writeln!(text, "  [\"{}\"]", descriptor.info.name);
        for key in descriptor.config() {
            let here = built_in.value(descriptor.info.name, key.name).filter(|here| key.default != Some(here));
            let here = here.map(|here| format!(" The demo has {here}.")).unwrap_or_default();
            let _ = writeln!(text, "    {:<28} {}{here}", key.to_string(), key.doc.trim());
        }
    }
    text + "  [services]\n    SERVICE = \"MODULE\"           Which module stands for a service."
}
