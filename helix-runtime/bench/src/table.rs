//! The floor of events: a hand-written table of functions and what they are called with, and publishing beside it.

use std::hint::black_box;

use helix_runtime::{Publish, Runtime};

use crate::row::Contender;
use crate::work::{keep, tally};

/// One entry: a function that calls the listener's method, and the listener.
pub type Entry<L, E> = (fn(&'static L, &E), &'static L);

/// So many listeners, each in memory of its own as modules are.
pub fn listeners<L: Default>(count: usize) -> Vec<&'static L> {
    (0..count).map(|_| keep(L::default())).collect()
}

/// What each of some listeners has counted.
pub fn counts<L: 'static>(listeners: Vec<&'static L>, calls: fn(&L) -> u64) -> impl Fn() -> Vec<u64> + 'static {
    move || listeners.iter().map(|listener| calls(listener)).collect()
}

/// A table that is walked for each operation.
pub fn walk<L: 'static, E: 'static>(
    event: &'static E,
    listeners: Vec<&'static L>,
    enter: fn(&'static L, &E),
    calls: fn(&L) -> u64,
) -> Contender {
    // What went through the black box is not known to be `enter` any more, so that each call stays an indirect one.
    let table: Vec<Entry<L, E>> = listeners.iter().map(|&listener| black_box((enter, listener))).collect();
    let run = move |operations| {
        for _ in 0..operations {
            let event = black_box(event);
            for &(handler, listener) in black_box(&table) {
                handler(listener, event);
            }
        }
    };
    Contender::new("hand-written table", run, counts(listeners, calls))
}

/// Publishing on a runtime whose modules count.
pub fn publish(event: &'static impl Publish, runtime: &'static Runtime) -> Contender {
    let run = move |operations| {
        for _ in 0..operations {
            black_box(black_box(runtime).publish(black_box(event)).handled);
        }
    };
    Contender::new("publish", run, move || tally(runtime))
}
