//! What the same work costs without a runtime: tables and calls as one would write them by hand.

use std::hint::black_box;
use std::sync::atomic::AtomicU64;

use helix_runtime::Tick;

use crate::events::{TICK, work};

type Entry = (fn(&AtomicU64, &Tick), &'static AtomicU64);

/// An event to `N` handlers through a table of functions and their data.
pub fn table<const N: usize>(count: usize) {
    fn handler(seen: &AtomicU64, tick: &Tick) {
        work(seen, tick.tick_number);
    }
    let entry = |_| -> Entry { (black_box(handler), Box::leak(Box::default())) };
    let table: Vec<Entry> = (0..N).map(entry).collect();
    for _ in 0..count {
        for (handler, seen) in black_box(&table) {
            handler(seen, black_box(&TICK));
        }
    }
}

/// A call through a pointer that the compiler cannot see through.
pub fn indirect_call(count: usize) {
    fn add(seen: &AtomicU64, by: u64) -> u64 {
        work(seen, by);
        by + 1
    }
    let seen = AtomicU64::new(0);
    let function: fn(&AtomicU64, u64) -> u64 = black_box(add);
    for _ in 0..count {
        black_box(black_box(function)(&seen, black_box(3)));
    }
}
