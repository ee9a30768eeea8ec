//! Events to handlers that take `&self`: all modules match, or closures listen.

use std::sync::atomic::{AtomicU64, Ordering};

use helix_runtime::prelude::*;
use helix_runtime::{Builder, EventSubscription, EventTopic, Module, Runtime};

use crate::row::{Contender, Field, Row};
use crate::table::{counts, listeners, publish, walk};
use crate::work::{TICK, Tally, keep, named, note, running, tell};

/// Hears ticks, without a lock.
#[helix_module(name = "ear")]
#[derive(Default)]
pub struct Ear {
    calls: AtomicU64,
}

#[helix_handlers]
impl Ear {
    /// Hears a tick.
    #[on_event(Tick)]
    pub fn tick(&self, tick: &Tick) {
        note(&self.calls, tick.tick_number);
    }
    #[on_event(Tally)]
    fn tally(&self) {
        tell(&self.calls);
    }
}

impl Ear {
    /// How many calls it has counted.
    pub fn calls(&self) -> u64 {
        self.calls.load(Ordering::Relaxed)
    }
}

/// The table of so many handlers.
pub fn floor(handlers: usize) -> Contender {
    walk(&TICK, listeners(handlers), |ear: &Ear, tick| ear.tick(tick), Ear::calls)
}

/// Publishing to so many modules.
pub fn to_modules(builder: Builder, modules: usize) -> Contender {
    publish(&TICK, running(builder, named(Ear::DESCRIPTOR, modules)))
}

/// Publishing to so many closures.
pub fn to_closures(closures: usize) -> Field {
    let runtime = keep(Runtime::builder().build().expect("an empty runtime is built"));
    let ears = listeners::<Ear>(closures);
    for &ear in &ears {
        let hear = move |event: &Event| match event {
            Event::Tick(tick) => {
                ear.tick(tick);
                EventResponse::Handled
            }
            _ => EventResponse::Ignored,
        };
        let subscription = EventSubscription::new("ear", vec![EventTopic::Tick], Box::new(hear));
        runtime.subscribe(subscription).expect("there is room");
    }
    runtime.start().expect("an empty runtime starts");
    let mut ours = publish(&TICK, runtime);
    ours.count_by(counts(ears, Ear::calls));
    Field::new(floor(closures), ours)
}

/// Publishing to so many modules, against the table.
pub fn all_match(modules: usize) -> Field {
    Field::new(floor(modules), to_modules(Runtime::builder(), modules))
}

/// The rows.
pub fn rows() -> Vec<Row> {
    let all = [(1, 2.5), (8, 1.5), (64, 1.3), (1000, 1.3)];
    let row = |(modules, budget)| {
        let what = format!("publish, `&self` handlers: {modules}");
        Row::new(what, move || all_match(modules).beside(crate::bus::others(modules))).within(budget).calling(modules)
    };
    all.into_iter().map(row).collect()
}
