//! The work that handlers do: one opaque call that counts, the same for every contender.

use std::cell::RefCell;
use std::sync::atomic::{AtomicU64, Ordering};

use helix_runtime::prelude::*;
use helix_runtime::{Builder, Descriptor, Runtime};

/// What an event's handler does: a load and a store in the module's data. No caller has it inlined. `number` is 1 in every
/// event of the benchmark, so that what is counted is calls.
#[inline(never)]
pub fn note(calls: &AtomicU64, number: u64) {
    // Not one `fetch_add`: a locked instruction would hide what the dispatch costs.
    calls.store(calls.load(Ordering::Relaxed).wrapping_add(number), Ordering::Relaxed);
}

/// What a request's handler does: the same, and an answer.
#[inline(never)]
pub fn answer(calls: &AtomicU64, number: u64) -> u64 {
    calls.store(calls.load(Ordering::Relaxed).wrapping_add(1), Ordering::Relaxed);
    number.wrapping_add(1)
}

/// The event of which each handler call is counted once.
pub const TICK: Tick = Tick { timestamp_ns: 1, tick_number: 1 };

/// Asks each module how many calls it has counted. It has a topic of its own, so that the others' tables stay as they are.
#[helix_message]
#[derive(Debug, Clone, EventType)]
pub struct Tally;

thread_local! {
    static COUNTS: RefCell<Vec<u64>> = const { RefCell::new(Vec::new()) };
}

/// A module's answer to a [`Tally`].
pub fn tell(calls: &AtomicU64) {
    COUNTS.with_borrow_mut(|counts| counts.push(calls.load(Ordering::Relaxed)));
}

/// How many calls each module of a runtime has counted.
pub fn tally(runtime: &Runtime) -> Vec<u64> {
    assert!(runtime.publish(&Tally).is_clean());
    COUNTS.take()
}

/// Keeps a value for the rest of the program: runtimes, whose resolved requests borrow them, and the tables beside them.
pub fn keep<T>(value: T) -> &'static T {
    Box::leak(Box::new(value))
}

/// A module under as many names, which is how a thousand are had without compiling a thousand.
pub fn named(descriptor: &Descriptor, count: usize) -> Vec<&'static Descriptor> {
    (0..count).map(|at| renamed(descriptor, format!("{}-{at}", descriptor.info.name))).collect()
}

/// A module under another name.
pub fn renamed(descriptor: &Descriptor, name: String) -> &'static Descriptor {
    let mut copy = *descriptor;
    copy.info.name = name.leak();
    keep(copy)
}

/// A runtime in which these modules have started.
pub fn running(builder: Builder, modules: impl IntoIterator<Item = &'static Descriptor>) -> &'static Runtime {
    let runtime = modules.into_iter().fold(builder, Builder::add_descriptor).build();
    let runtime = keep(runtime.expect("the benchmark's modules fit together"));
    runtime.start().expect("the benchmark's modules start");
    runtime
}
