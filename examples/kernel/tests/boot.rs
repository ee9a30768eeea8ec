//! Boots every scenario on every board. The verdict is the machine's exit status; where instructions are the clock, what
//! the kernel reports is also a reviewed snapshot, to the byte.
//!
//! A board whose emulator or target is not installed is skipped, which is said; with `CI` or `HELIX_REQUIRE_QEMU` in the
//! environment it is a failure.

use std::env;
use std::fs;
use std::io;
use std::path::PathBuf;
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use helix_runtime::modinfo::{Record, SECTION};
use kernel_boot::{Board, Input, Status, Time, Verdict, boot, build};
use libtest_mimic::{Arguments, Failed, Trial};
use object::{Object, ObjectSection};

/// A scenario and how it has to end.
struct Case {
    command_line: &'static str,
    verdict: Verdict,
    /// Whether it is also run by the wall's clock.
    in_real_time: bool,
    /// What only protected memory catches.
    needs_protection: bool,
}

const fn ends(command_line: &'static str, status: Status) -> Case {
    Case { command_line, verdict: Verdict::Ended(status), in_real_time: false, needs_protection: false }
}

const fn also_in_real_time(case: Case) -> Case {
    Case { in_real_time: true, ..case }
}

const fn protected(case: Case) -> Case {
    Case { needs_protection: true, ..case }
}

const CASES: &[Case] = &[
    also_in_real_time(ends("demo", Status::Success)),
    also_in_real_time(ends("ticks", Status::Success)),
    also_in_real_time(ends("storm", Status::Success)),
    also_in_real_time(ends("deadlock", Status::Success)),
    Case { verdict: Verdict::TimedOut, ..ends("deadlock raw", Status::Success) },
    also_in_real_time(ends("reentrant", Status::Success)),
    also_in_real_time(ends("swap", Status::Success)),
    ends("panic", Status::Panic),
    protected(ends("fault stack", Status::Fault)),
    protected(ends("fault null", Status::Fault)),
    protected(ends("fault code", Status::Fault)),
    protected(ends("fault constant", Status::Fault)),
    protected(ends("fault data", Status::Fault)),
    protected(ends("fault run-stack", Status::Fault)),
    protected(ends("fault run-heap", Status::Fault)),
    ends("oom", Status::Success),
    ends("oom fatal", Status::Memory),
    ends("oom and-panic", Status::Panic),
    ends("latency", Status::Success),
    ends("misuse alloc", Status::Hang),
    ends("misuse lock", Status::Hang),
    ends("misuse print", Status::Hang),
    ends("misuse twice", Status::Hang),
    ends("misuse log", Status::Success),
    ends("misuse publish", Status::Panic),
    // What is not there is a failure, and no success by default.
    ends("no-such-scenario", Status::Failed),
    ends("misuse no-such-case", Status::Failed),
    ends("ticks no-such-case", Status::Failed),
    ends("fault", Status::Failed),
    ends("oom fatal indeed", Status::Failed),
];

/// The modules of the image, in the order in which they are listed.
const MODULES: [&str; 8] =
    ["probe", "memory-watch", "scheduler.round-robin", "journal", "timer", "shell", "tally", "fragile"];

/// What hangs is taken for that after so long. Everything else ends by itself long before its own deadline.
const HUNG: Duration = Duration::from_secs(3);
const DEADLINE: Duration = Duration::from_secs(120);

fn image(board: Board) -> Result<&'static PathBuf, Failed> {
    static IMAGES: [OnceLock<Result<PathBuf, String>>; Board::ALL.len()] =
        [const { OnceLock::new() }; Board::ALL.len()];
    let image = IMAGES[board as usize].get_or_init(|| build(board).map_err(|error| error.to_string()));
    Ok(image.as_ref()?)
}

fn play(board: Board, case: &Case, time: Time) -> Result<(), Failed> {
    // With `std` the runtime asks whether it is in an interrupt in debug builds only; here the allocator does.
    let in_release = board == Board::Hosted && case.command_line == "misuse publish";
    let expected = if in_release { Verdict::Ended(Status::Hang) } else { case.verdict };
    let deadline = if expected == Verdict::TimedOut { HUNG } else { DEADLINE };
    let outcome =
        boot(board, image(board)?, case.command_line, time, Input::Text("shutdown\n"), deadline, &mut io::sink())?;
    if outcome.verdict != expected {
        let message = format!("found: {}\nexpected: {expected}\n{}", outcome.verdict, outcome.output);
        return Err(message.into());
    }
    if expected == Verdict::TimedOut && !outcome.output.trim_end().ends_with("this hangs") {
        return Err(format!("it hung elsewhere:\n{}", outcome.output).into());
    }
    if time == Time::Counted {
        let name = format!("{}-{}", board.name(), case.command_line.replace(' ', "-"));
        let (folder, path) = ("snapshots", concat!(env!("CARGO_MANIFEST_DIR"), "/tests"));
        insta::with_settings!({
            snapshot_path => PathBuf::from(path).join(folder),
            prepend_module_to_snapshot => false,
            omit_expression => true,
        }, { insta::assert_snapshot!(name, outcome.output) });
    }
    Ok(())
}

/// What is cut off somewhere must not be taken for what its beginning says.
fn too_long(board: Board) -> Result<(), Failed> {
    let line = format!("ticks {}", "x".repeat(300));
    let outcome = boot(board, image(board)?, &line, Time::Real, Input::Text(""), DEADLINE, &mut io::sink())?;
    if outcome.verdict != Verdict::Ended(Status::Failed) || !outcome.output.contains("longer than 256 bytes") {
        return Err(format!("found: {}\n{}", outcome.verdict, outcome.output).into());
    }
    Ok(())
}

/// More than a pipe holds is typed at a machine that never reads: it is hung all the same.
fn unread_console(board: Board) -> Result<(), Failed> {
    let input = "a".repeat(1 << 18);
    let image = image(board)?;
    let began = Instant::now();
    let outcome = boot(board, image, "deadlock raw", Time::Real, Input::Text(&input), HUNG, &mut io::sink())?;
    if outcome.verdict != Verdict::TimedOut || began.elapsed() > 4 * HUNG {
        return Err(format!("found: {} after {:?}", outcome.verdict, began.elapsed()).into());
    }
    Ok(())
}

/// The image says which modules it has, without being run.
fn modinfo(board: Board) -> Result<(), Failed> {
    let bytes = fs::read(image(board)?)?;
    let file = object::File::parse(&*bytes)?;
    let section = file.section_by_name(SECTION).ok_or("the image has no section of records")?;
    let records: Vec<Record> = Record::read(section.data()?).collect::<Result<_, _>>()?;
    let mut names: Vec<_> = records.iter().filter_map(|record| record.get("name")).collect();
    let mut expected = MODULES.to_vec();
    names.sort_unstable();
    expected.sort_unstable();
    if names != expected {
        return Err(format!("the image has records of {names:?}, expected {expected:?}").into());
    }
    let scheduler = records.iter().find(|record| record.get("name") == Some("scheduler.round-robin"));
    let depends: Vec<_> = scheduler.iter().flat_map(|record| record.all("depends")).collect();
    if !depends.iter().any(|need| need.starts_with("clock")) {
        return Err(format!("the scheduler's record says that it depends on {depends:?}, expected `clock`").into());
    }
    Ok(())
}

fn trials(board: Board, is_ignored: bool) -> Vec<Trial> {
    let mut trials = vec![
        Trial::test(format!("{}: modinfo", board.name()), move || modinfo(board)),
        Trial::test(format!("{}: a console that nobody reads", board.name()), move || unread_console(board)),
        Trial::test(format!("{}: a command line that is too long", board.name()), move || too_long(board)),
    ];
    for case in CASES.iter().filter(|case| board == Board::X86_64 || !case.needs_protection) {
        let counted = board != Board::Hosted;
        let mut add = |time, note| {
            let name = format!("{}: {}{note}", board.name(), case.command_line);
            trials.push(Trial::test(name, move || play(board, case, time)));
        };
        if counted {
            add(Time::Counted, "");
        }
        if !counted || case.in_real_time {
            add(Time::Real, ", in real time");
        }
    }
    trials.into_iter().map(|trial| trial.with_ignored_flag(is_ignored)).collect()
}

fn main() {
    let arguments = Arguments::from_args();
    let is_required = ["CI", "HELIX_REQUIRE_QEMU"].iter().any(|name| env::var_os(name).is_some());
    let mut all = Vec::new();
    for board in Board::ALL {
        let missing = board.missing();
        match (&missing, board.emulator_version()) {
            _ if arguments.list => {}
            (Some(missing), _) if is_required => eprintln!("FAILS: the kernel on {}: {missing}", board.name()),
            (Some(missing), _) => eprintln!("SKIPPED: the kernel on {}: {missing}", board.name()),
            // What the reports say was counted by this.
            (None, Some(version)) => eprintln!("the kernel on {}: {version}", board.name()),
            (None, None) => {}
        }
        all.extend(trials(board, missing.is_some() && !is_required));
    }
    libtest_mimic::run(&arguments, all).exit();
}
