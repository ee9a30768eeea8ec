//! How a handler that takes `&mut self` is kept alone, by other locks than a word of ours.
//!
//! - *`std::sync::Mutex`*: two atomic steps, and a sleep where it is busy.
//! - *`spin::RwLock`*, written: room for `&self` handlers of the same module.
//! - *Ticket lock*: first come first served, which convoys when processors are few.

use std::sync::atomic::Ordering;
use std::sync::{Mutex, PoisonError};

use helix_runtime::prelude::Tick;

use crate::exclusive::{self, Hermit};
use crate::row::{Contender, Row};
use crate::table::{listeners, walk};
use crate::work::TICK;

pub fn rows() -> Vec<Row> {
    let row = |handlers| {
        let what = format!("designs of `&mut self`, handlers: {handlers}");
        Row::new(what, move || {
            exclusive::field(handlers).beside([sleeping(handlers), shared(handlers), fair(handlers)])
        })
    };
    [1, 64].into_iter().map(row).collect()
}

fn named(name: &'static str, mut contender: Contender) -> Contender {
    contender.name = name;
    contender
}

fn sleeping(handlers: usize) -> Contender {
    let enter = |hermit: &Mutex<Hermit>, tick: &Tick| hermit.lock().unwrap_or_else(PoisonError::into_inner).tick(tick);
    let calls = |hermit: &Mutex<Hermit>| hermit.lock().expect("nobody panics").calls.load(Ordering::Relaxed);
    named("`std::sync::Mutex`", walk(&TICK, listeners(handlers), enter, calls))
}

fn shared(handlers: usize) -> Contender {
    let enter = |hermit: &spin::RwLock<Hermit>, tick: &Tick| hermit.write().tick(tick);
    let calls = |hermit: &spin::RwLock<Hermit>| hermit.read().calls.load(Ordering::Relaxed);
    named("`spin::RwLock`", walk(&TICK, listeners(handlers), enter, calls))
}

fn fair(handlers: usize) -> Contender {
    type Fair = spin::mutex::TicketMutex<Hermit>;
    let enter = |hermit: &Fair, tick: &Tick| hermit.lock().tick(tick);
    let calls = |hermit: &Fair| hermit.lock().calls.load(Ordering::Relaxed);
    named("ticket lock", walk(&TICK, listeners(handlers), enter, calls))
}
