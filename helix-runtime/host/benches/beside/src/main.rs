//! What a call takes between two processes: 64 bytes there and back over a Unix socket, by other libraries.
//!
//! Prints a line of JSON for each: microseconds, and the ratio to blocking sockets by themselves, of the same round.

mod floor;
mod over_tarpc;
mod over_zbus;

use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::process::{Child, Command, Stdio};
use std::time::Instant;

const BYTES: usize = 64;
const ROUNDS: usize = 21;
const CALLS: u32 = 500;

/// Makes so many calls, one after the other.
type Caller = Box<dyn FnMut(u32)>;

/// A way to call, by its two ends.
struct Way {
    name: &'static str,
    caller: fn(UnixStream) -> Caller,
    /// Gives back what it is given, until nobody is there.
    answer: fn(UnixStream),
}

const WAYS: [Way; 3] = [
    Way { name: "floor", caller: floor::caller, answer: floor::answer },
    Way { name: "tarpc", caller: over_tarpc::caller, answer: over_tarpc::answer },
    Way { name: "zbus", caller: over_zbus::caller, answer: over_zbus::answer },
];

/// This program again, as the other end, and the caller to it.
fn start(way: &Way) -> (Child, Caller) {
    let (ours, theirs) = UnixStream::pair().unwrap();
    let mut other = Command::new(std::env::current_exe().unwrap());
    let other = other.arg(way.name).stdin(Stdio::from(OwnedFd::from(theirs))).spawn().unwrap();
    (other, (way.caller)(ours))
}

/// The name, and the version that is measured.
fn title(name: &str) -> String {
    let mut packages = include_str!("../Cargo.lock").split("[[package]]\n");
    let package = packages.find_map(|package| package.strip_prefix(&format!("name = \"{name}\"\nversion = \"")));
    package.map_or_else(|| name.into(), |rest| format!("{name} {}", &rest[..rest.find('"').unwrap()]))
}

fn median(mut all: Vec<f64>) -> f64 {
    all.sort_by(f64::total_cmp);
    all[all.len() / 2]
}

fn main() {
    if let Some(name) = std::env::args().nth(1) {
        let way = WAYS.iter().find(|way| way.name == name).expect("one of floor, tarpc and zbus");
        return (way.answer)(UnixStream::from(std::io::stdin().as_fd().try_clone_to_owned().unwrap()));
    }
    // On one processor, processes and all: the time to wake another one up is not what is measured.
    let mut one = rustix::thread::CpuSet::new();
    one.set(0);
    rustix::thread::sched_setaffinity(None, &one).unwrap();
    let (mut others, mut callers): (Vec<Child>, Vec<Caller>) = WAYS.iter().map(start).unzip();
    callers.iter_mut().for_each(|call| call(CALLS));
    let rounds: Vec<Vec<f64>> = (0..ROUNDS)
        .map(|_| {
            let timed = |call: &mut Caller| {
                let began = Instant::now();
                call(CALLS);
                began.elapsed().as_secs_f64() * 1e6 / f64::from(CALLS)
            };
            callers.iter_mut().map(timed).collect()
        })
        .collect();
    for (at, way) in WAYS.iter().enumerate() {
        let us = median(rounds.iter().map(|round| round[at]).collect());
        let ratio = median(rounds.iter().map(|round| round[at] / round[0]).collect());
        println!(r#"{{"name": "{}", "us": {us:.2}, "ratio": {ratio:.2}}}"#, title(way.name));
    }
    drop(callers);
    for other in &mut others {
        assert!(other.wait().unwrap().success());
    }
}
