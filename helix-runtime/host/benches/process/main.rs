//! What a process of its own costs a module: a call, making it, making it anew, memory.
//!
//! `cargo bench -p helix-host --bench process`; with `--write` it writes `PROCESS.md`.
//! With `--beside` other libraries' calls are in it as well.
#![allow(missing_docs)]

#[path = "../../tests/support/mod.rs"]
mod support;

mod events;

use std::fmt::Write as _;
use std::fs;
use std::io::{BufRead, Read, Write};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use helix_host::{Cancel, Cargo, Configuration, Host};
use helix_runtime::Supervision;

/// Gives back what it is given.
const ECHO: &str = r#"
#![forbid(unsafe_code)]
use helix_runtime::prelude::*;
/// Answers.
#[helix_module(name = "echo", flags = HOT_RELOADABLE, stateless)]
#[derive(Default)]
pub struct Echo;
#[helix_handlers]
impl Echo {
    #[on_request]
    fn back(&self, bytes: &[u8]) -> Vec<u8> { bytes.to_vec() }
    #[on_request]
    fn nothing(&self) {}
    #[on_request]
    fn memory(&self) -> String { std::fs::read_to_string("/proc/self/smaps_rollup").unwrap_or_default() }
    #[on_event(Tick)]
    fn tick(&self) {}
    #[on_request]
    fn end(&self) { std::process::exit(0) }
}
"#;

const BYTES: usize = 64;
const ECHO_ARGUMENT: &str = "--echo";

/// The floor's other end: 64 bytes come and go.
fn echo() {
    let mut socket = UnixStream::from(std::io::stdin().as_fd().try_clone_to_owned().unwrap());
    let mut bytes = [0; BYTES];
    while socket.read_exact(&mut bytes).is_ok() {
        socket.write_all(&bytes).unwrap();
    }
}

fn median(mut all: Vec<f64>) -> f64 {
    all.sort_by(f64::total_cmp);
    all[all.len() / 2]
}

/// How many microseconds one call takes.
fn timed(calls: u32, mut call: impl FnMut()) -> f64 {
    let began = Instant::now();
    (0..calls).for_each(|_| call());
    began.elapsed().as_secs_f64() * 1e6 / f64::from(calls)
}

/// The table's lines for other libraries' calls, which `benches/beside` measures.
fn beside() -> String {
    let manifest = Path::new(env!("CARGO_MANIFEST_DIR")).join("benches/beside/Cargo.toml");
    let mut command = Command::new(std::env::var_os("CARGO").unwrap());
    let command = command.args(["run", "--quiet", "--release", "--locked", "--manifest-path"]).arg(manifest);
    let output = command.stderr(Stdio::inherit()).output().unwrap();
    assert!(output.status.success());
    let mut text = String::new();
    for line in output.stdout.lines() {
        let row: serde_json::Value = serde_json::from_str(&line.unwrap()).unwrap();
        let (name, us, ratio) = (row["name"].as_str(), row["us"].as_f64(), row["ratio"].as_f64());
        let _ = writeln!(text, "| beside: {} | {:.2} | {:.2} |", name.unwrap(), us.unwrap(), ratio.unwrap());
    }
    text
}

fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    if arguments.iter().any(|argument| argument == ECHO_ARGUMENT) {
        return echo();
    }
    if arguments.iter().any(|argument| argument == events::SINK_ARGUMENT) {
        return events::sink(&mut UnixStream::from(std::io::stdin().as_fd().try_clone_to_owned().unwrap()));
    }
    // On one processor, processes and all: the time to wake another one up is not what is measured.
    let mut one = rustix::thread::CpuSet::new();
    one.set(0);
    let folder = support::folder("bench-process");
    // Before that: on all processors.
    let events = events::measure(&folder);
    if arguments.iter().any(|argument| argument == "--events") {
        println!("{events}");
        return;
    }
    let beside = arguments.iter().any(|argument| argument == "--beside").then(beside);
    let release = Cargo { release: true, ..support::cargo() };
    let built = release.build(&support::write_crate(&folder, "echo", ECHO), &Cancel::default(), &mut |_| {});
    let library = built.unwrap_or_else(|error| panic!("{error}: {error:?}")).path;
    let start = |isolation: &str| {
        let text = format!(
            "[host]\ncommand = {:?}\nmodules.echo = {{ isolation = {isolation:?} }}\n",
            env!("CARGO_BIN_EXE_helix")
        );
        let configuration = Configuration::parse(&text, Path::new("host.toml")).unwrap();
        let eager = Supervision { intensity: u32::MAX, backoff: Duration::ZERO, ..Supervision::default() };
        let builder = Host::builder().libraries(std::slice::from_ref(&library)).configuration(configuration);
        builder.runtime(move |builder| builder.supervision(eager)).start().unwrap()
    };

    rustix::thread::sched_setaffinity(None, &one).unwrap();
    let (mut ours, theirs) = UnixStream::pair().unwrap();
    let mut other = Command::new(std::env::current_exe().unwrap());
    let mut other = other.arg(ECHO_ARGUMENT).stdin(Stdio::from(OwnedFd::from(theirs))).spawn().unwrap();
    let (process, dylib) = (start("process"), start("none"));
    let back = process.runtime().resolve::<(&[u8],), Vec<u8>>("echo.back").unwrap();
    let nothing = process.runtime().resolve::<(), ()>("echo.nothing").unwrap();
    let here = dylib.runtime().resolve::<(&[u8],), Vec<u8>>("echo.back").unwrap();
    // With the length that postcard writes before them: 64 on the wire.
    let payload = [7; BYTES - 1];
    let mut bytes = [0; BYTES];
    let mut buffer = vec![0; BYTES];
    let tick = helix_runtime::Tick { timestamp_ns: 0, tick_number: 1 };
    let mut rounds: Vec<[f64; 6]> = Vec::new();
    for _ in 0..41 {
        const CALLS: u32 = 2_000;
        rounds.push([
            timed(CALLS, || {
                ours.write_all(&bytes).unwrap();
                ours.read_exact(&mut bytes).unwrap();
            }),
            timed(CALLS, || drop(back.call((&payload[..],)).unwrap())),
            timed(CALLS, || {
                process.runtime().request_into("echo.back", &[63; BYTES], &mut buffer).unwrap();
            }),
            timed(CALLS, || nothing.call(()).unwrap()),
            timed(CALLS, || drop(process.runtime().publish(&tick))),
            timed(CALLS, || drop(here.call((&payload[..],)).unwrap())),
        ]);
    }
    let time = |at: usize| median(rounds.iter().map(|round| round[at]).collect());
    let ratio = |at: usize| median(rounds.iter().map(|round| round[at] / round[0]).collect());
    let mut text = String::from(
        "# What a process costs a module\n\nWritten by `cargo bench -p helix-host --bench process -- --write`; medians, by turns, all on one processor. The \
         machine is shared: trust the ratios.\n\n## A call\n\n| | us | of the floor |\n|---|--:|--:|\n",
    );
    for (at, name) in [
        "floor: 64 bytes there and back over a Unix socket, blocking",
        "64 bytes there and back, typed, by handle",
        "the same in bytes, by name",
        "no argument, no reply",
        "a built-in event, one handler, heard before `publish` returns",
        "for comparison: 64 bytes, typed, into a library",
    ]
    .into_iter()
    .enumerate()
    {
        let _ = writeln!(text, "| {name} | {:.2} | {:.2} |", time(at), ratio(at));
    }
    if let Some(beside) = &beside {
        text.push_str(beside);
        text.push_str("\nBeside, with `--beside`: the same by other libraries, and a floor that is measured by turns with them.\n");
    }
    let verdict = if ratio(1) <= 1.1 { "Met" } else { "Missed" };
    let _ = writeln!(text, "\nBudget: 1.1 times the floor, typed. {verdict}.");
    text.push_str(&events);
    other.kill().unwrap();
    other.wait().unwrap();

    let smaps = process.runtime().call::<(), String>("echo.memory", ()).unwrap();
    let field = |name: &str| {
        let line = smaps.lines().find_map(|line| line.strip_prefix(name)).unwrap_or("0 kB");
        line.trim().trim_end_matches(" kB").parse::<u64>().unwrap_or_default()
    };
    drop((process, dylib));
    let starts = (0..15).map(|_| {
        let began = Instant::now();
        let host = start("process");
        host.runtime().call::<(), ()>("echo.nothing", ()).unwrap();
        began.elapsed().as_secs_f64() * 1e3
    });
    let starts = median(starts.collect());
    let host = start("process");
    let restarts = (0..15).map(|_| {
        let began = Instant::now();
        host.runtime().call::<(), ()>("echo.end", ()).unwrap_err();
        while host.runtime().call::<(), ()>("echo.nothing", ()).is_err() {
            std::thread::sleep(Duration::from_micros(100));
        }
        began.elapsed().as_secs_f64() * 1e3
    });
    let restarts = median(restarts.collect());
    let _ = write!(
        text,
        "\n## A process\n\n| | |\n|---|--:|\n| a host with one module, from nothing to the first answer | {starts:.1} ms |\n\
         | from the end of a process to the answer of the next | {restarts:.1} ms |\n\
         | memory of its own | {} KiB |\n| memory in all, with what others share | {} KiB |\n",
        field("Private_Dirty:") + field("Private_Clean:"),
        field("Rss:"),
    );
    println!("{text}");
    if arguments.iter().any(|argument| argument == "--write") {
        fs::write(Path::new(env!("CARGO_MANIFEST_DIR")).join("PROCESS.md"), text).unwrap();
    }
}
