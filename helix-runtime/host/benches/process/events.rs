//! Events to a process, many at a time.

use std::fmt::Write as _;
use std::io::{Read, Write};
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use helix_host::{Cancel, Cargo, Configuration, Host};
use helix_runtime::prelude::*;

use super::{median, support};

/// A number on its way.
#[helix_message]
#[derive(Debug, Clone, EventType)]
#[event(topic = "flow", name = "flow.number")]
pub struct Number {
    pub number: u64,
}

/// Counts what it hears.
const READER: &str = r#"
#![forbid(unsafe_code)]
use helix_runtime::prelude::*;
#[helix_message]
#[derive(Debug, Clone, EventType)]
#[event(topic = "flow", name = "flow.number")]
pub struct Number { pub number: u64 }
/// Counts.
#[helix_module(name = "reader", flags = HOT_RELOADABLE, stateless)]
#[derive(Default)]
pub struct Reader { count: u64, sum: u64 }
#[helix_handlers]
impl Reader {
    #[on_event(Number)]
    fn number(&mut self, &Number { number }: &Number) { self.count += 1; self.sum += number; }
    #[on_request]
    fn count(&self) -> (u64, u64) { (self.count, self.sum) }
}
"#;

const EVENTS: u64 = 1_000_000;
const ROUNDS: usize = 9;
/// What the floor sends at a time, in bytes, and how long each of its messages is: a length, and what an event has in it.
const BATCH: usize = 4096;
const MESSAGE: usize = 8;

pub const SINK_ARGUMENT: &str = "--sink";

/// The floor's other end: reads messages, and answers when all of a round have come.
pub fn sink(socket: &mut UnixStream) {
    let (mut room, mut filled, mut count, mut sum) = (vec![0; 64 << 10], 0, 0_u64, 0_u64);
    loop {
        let Ok(read @ 1..) = socket.read(&mut room[filled..]) else { return };
        filled += read;
        let whole = filled - filled % MESSAGE;
        for message in room[..whole].chunks_exact(MESSAGE) {
            sum += u64::from(u32::from_le_bytes(message[4..].try_into().unwrap()));
            count += 1;
        }
        room.copy_within(whole..filled, 0);
        filled -= whole;
        if count == EVENTS {
            socket.write_all(&sum.to_le_bytes()).unwrap();
            (count, sum) = (0, 0);
        }
    }
}

fn floor(socket: &mut UnixStream) -> f64 {
    let began = Instant::now();
    let mut batch = Vec::with_capacity(BATCH);
    for number in 0..EVENTS {
        batch.extend_from_slice(&4_u32.to_le_bytes());
        batch.extend_from_slice(&(number as u32).to_le_bytes());
        if batch.len() >= BATCH || number == EVENTS - 1 {
            socket.write_all(&batch).unwrap();
            batch.clear();
        }
    }
    let mut sum = [0; 8];
    socket.read_exact(&mut sum).unwrap();
    assert_eq!(u64::from_le_bytes(sum), EVENTS * (EVENTS - 1) / 2);
    EVENTS as f64 / began.elapsed().as_secs_f64()
}

fn ours(host: &Host, round: u64) -> f64 {
    let began = Instant::now();
    for number in 0..EVENTS {
        assert_eq!(host.runtime().publish(&Number { number }).queued, 1);
    }
    while host.runtime().call::<(), (u64, u64)>("reader.count", ()).unwrap().0 < EVENTS * round {
        std::thread::sleep(Duration::from_micros(50));
    }
    let rate = EVENTS as f64 / began.elapsed().as_secs_f64();
    let heard = host.runtime().call::<(), (u64, u64)>("reader.count", ()).unwrap();
    assert_eq!(heard, (EVENTS * round, EVENTS * (EVENTS - 1) / 2 * round), "each once");
    rate
}

/// Events a second, ours and the floor's, by turns.
pub fn measure(folder: &Path) -> String {
    let release = Cargo { release: true, ..support::cargo() };
    let built = release.build(&support::write_crate(folder, "reader", READER), &Cancel::default(), &mut |_| {});
    let library = built.unwrap_or_else(|error| panic!("{error}: {error:?}")).path;
    let text = format!(
        "[host]\ncommand = {:?}\nmodules.reader = {{ isolation = \"process\", queue = 1048576 }}\n",
        env!("CARGO_BIN_EXE_helix")
    );
    let configuration = Configuration::parse(&text, Path::new("host.toml")).unwrap();
    let host = Host::builder().libraries(&[library]).configuration(configuration).start().unwrap();
    let (mut near, far) = UnixStream::pair().unwrap();
    let mut other = Command::new(std::env::current_exe().unwrap());
    let mut other = other.arg(SINK_ARGUMENT).stdin(Stdio::from(OwnedFd::from(far))).spawn().unwrap();
    let rounds: Vec<(f64, f64)> = (1..=ROUNDS).map(|round| (ours(&host, round as u64), floor(&mut near))).collect();
    other.kill().unwrap();
    other.wait().unwrap();
    let millions = |of: fn(&(f64, f64)) -> f64| median(rounds.iter().map(of).collect()) / 1e6;
    let mut text = String::from("\n## Events, one way\n\n| | million a second |\n|---|--:|\n");
    let _ = writeln!(
        text,
        "| floor: messages of 8 bytes over a Unix socket, {BATCH} bytes at a time | {:.1} |",
        millions(|round| round.1)
    );
    let _ = writeln!(
        text,
        "| events with a number, published one by one into a queue, each heard by a handler | {:.1} |",
        millions(|round| round.0)
    );
    text.push_str(
        "\nBudget: 5 million a second. Two processors: publishing, the link's thread and the process share them.\n",
    );
    text
}
