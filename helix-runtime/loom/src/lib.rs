//! Runs the runtime's lock-free files, unchanged, through every order in which their steps can happen.
//!
//! Those files name atomics, barriers, the queue and the lock through `crate::sync` alone; here that is loom's.
//! `cargo test --release` in this folder.
#![cfg(test)]
#![expect(dead_code, reason = "the files have more than the proofs call")]

extern crate alloc;

mod channel;
mod irq;
mod queue;
mod sync;
