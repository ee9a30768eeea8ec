//! Runs the runtime's lock-free files, unchanged, through every order in which their steps can happen.
//!
//! Those files name atomics, barriers, the queue and the lock through `crate::sync` alone; here that is loom's.
//! `cargo test --release` in this folder.
#![cfg(test)]
#![expect(dead_code, reason = "the files have more than the proofs call")]

extern crate alloc;

mod channel;
mod counts;
mod grace;
mod irq;
mod marks;
mod module_lock;
mod queue;
#[path = "../../src/runtime/readers.rs"]
mod readers;
mod sync;
#[path = "../../src/runtime/word.rs"]
mod word;

/// Whether a proof has come by a certain outcome in any order of its steps: what never happens proves nothing.
struct Seen(std::sync::atomic::AtomicBool);

impl Seen {
    const fn new() -> Self {
        Self(std::sync::atomic::AtomicBool::new(false))
    }

    fn note(&self) {
        self.0.store(true, std::sync::atomic::Ordering::Relaxed);
    }

    fn check(&self, what: &str) {
        assert!(self.0.load(std::sync::atomic::Ordering::Relaxed), "in no order of the steps: {what}");
    }
}

/// Every order of three threads would take hours: those in which they cut in on each other this often.
fn among_three(preemptions: usize, model: impl Fn() + Sync + Send + 'static) {
    let mut builder = loom::model::Builder::new();
    builder.preemption_bound = Some(preemptions);
    builder.check(model);
}
