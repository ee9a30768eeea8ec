//! `cargo kernel`: builds the kernel, boots it, shows what it says, and ends as it ended.
#![forbid(unsafe_code)]

use std::io;
use std::process::ExitCode;
use std::time::Duration;

use clap::Parser;
use kernel_boot::{Board, BootError, Input, Status, Time, Verdict, boot, build};

/// Boots the kernel example, which runs the demo's modules, and shows its console.
#[derive(Debug, Parser)]
#[command(bin_name = "cargo kernel", after_help = SCENARIOS)]
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
    /// What is typed on its console, and Enter
    #[arg(long, value_name = "TEXT", default_value = "shutdown", conflicts_with = "interactive")]
    input: String,
    /// Leaves the typing to you
    #[arg(long)]
    interactive: bool,
    /// What is shown, and a case of it
    #[arg(value_name = "SCENARIO", default_value = "demo")]
    scenario: Vec<String>,
}

const SCENARIOS: &str = "\
Scenarios:
  demo       the tour: modules start, talk, are driven by interrupts, and stop in order
  ticks      a thousand ticks at 1 kHz, none lost
  storm      interrupts far faster than their handlers
  deadlock   a lock that an interrupt wants too; `deadlock raw` is how that hangs otherwise
  reentrant  modules that come back to themselves
  swap       a module is replaced by its second version, with its state
  latency    from an interrupt to its handler
  oom        memory is used up, and the kernel lives; `oom fatal`: it does not; `oom and-panic`: for another reason
  panic      a module panics, and is named
  fault      stack, null, code, constant, data, run-stack, run-heap: what protected memory catches (x86_64 alone has it)
  misuse     alloc, lock, print, publish, twice, log: what does not belong into an interrupt says so

Exit status:
  0 success; 1 the machine fell over, or the kernel was not built; 2 called wrongly; 3 something is not installed;
  35 the scenario did not find what it promises; 37 panic; 39 out of memory; 41 fault; 43 stopped before it would have hung;
  124 still running at the deadline";

fn main() -> ExitCode {
    let args = Args::parse();
    match run(&args) {
        Ok(verdict) => {
            eprintln!("{}: {verdict}", args.board.name());
            match verdict {
                Verdict::Ended(Status::Success) => ExitCode::SUCCESS,
                Verdict::Ended(status) => ExitCode::from(status.code()),
                Verdict::TimedOut => ExitCode::from(124),
                Verdict::Unknown(_) => ExitCode::FAILURE,
            }
        }
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::from(if matches!(error, BootError::Missing { .. }) { 3 } else { 1 })
        }
    }
}

fn run(args: &Args) -> Result<Verdict, BootError> {
    let time = if args.real_time { Time::Real } else { Time::Counted };
    let typed = format!("{}\n", args.input);
    let input = if args.interactive { Input::Own } else { Input::Text(&typed) };
    if let Some(missing) = args.board.missing() {
        return Err(missing);
    }
    eprintln!("{}: building the kernel; the first time this takes a minute or two ...", args.board.name());
    let image = build(args.board)?;
    let (deadline, line) = (Duration::from_secs(args.deadline), args.scenario.join(" "));
    eprintln!("{}: booting `{line}` ...", args.board.name());
    boot(args.board, &image, &line, time, input, deadline, &mut io::stdout()).map(|outcome| outcome.verdict)
}
