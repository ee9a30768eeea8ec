//! Events to handlers that take `&mut self`, against a table in which each module has a spin lock that nobody else wants.

use std::sync::atomic::{AtomicU64, Ordering};

use helix_runtime::prelude::*;
use helix_runtime::{Module, Runtime};
use spin::Mutex;

use crate::row::{Contender, Field, Row};
use crate::table::{listeners, publish, walk};
use crate::work::{TICK, Tally, named, note, running, tell};

/// Hears ticks alone.
#[helix_module(name = "hermit")]
#[derive(Default)]
pub struct Hermit {
    pub(crate) calls: AtomicU64,
}

#[helix_handlers]
impl Hermit {
    /// Hears a tick.
    #[on_event(Tick)]
    pub fn tick(&mut self, tick: &Tick) {
        note(&self.calls, tick.tick_number);
    }
    #[on_event(Tally)]
    fn tally(&self) {
        tell(&self.calls);
    }
}

fn floor(handlers: usize) -> Contender {
    let enter = |hermit: &Mutex<Hermit>, tick: &Tick| hermit.lock().tick(tick);
    let mut floor = walk(&TICK, listeners(handlers), enter, |hermit| hermit.lock().calls.load(Ordering::Relaxed));
    floor.name = "hand-written table with spin locks";
    floor
}

fn ours(modules: usize) -> Contender {
    publish(&TICK, running(Runtime::builder(), named(Hermit::DESCRIPTOR, modules)))
}

/// Publishing to so many modules, against the table.
pub fn field(modules: usize) -> Field {
    Field::new(floor(modules), ours(modules))
}

/// The rows.
pub fn rows() -> Vec<Row> {
    let all = [(1, 1.25), (8, 1.0), (64, 1.0), (1000, 1.0)];
    let row = |(modules, budget)| {
        let what = format!("publish, `&mut self` handlers: {modules}");
        Row::new(what, move || field(modules)).within(budget).calling(modules)
    };
    all.into_iter().map(row).collect()
}
