//! Events to handlers that take `&self`: publishing against a hand-written table of the same calls.

use std::hint::black_box;
use std::sync::atomic::AtomicU64;
use std::sync::{Mutex, RwLock};

use helix_runtime::prelude::*;
use helix_runtime::{Builder, Descriptor, Module, Runtime};

use crate::row::{Contender, Field, Row};
use crate::work::{TICK, Tally, keep, named, note, running, tally, tell};

/// Hears ticks, without a lock.
#[helix_module(name = "ear")]
#[derive(Default)]
pub struct Ear {
    calls: AtomicU64,
}

#[helix_handlers]
impl Ear {
    #[on_event(Tick)]
    fn tick(&self, tick: &Tick) {
        note(&self.calls, tick.tick_number);
    }
    #[on_event(Tally)]
    fn tally(&self) {
        tell(&self.calls);
    }
}

impl Ear {
    fn calls(&self) -> u64 {
        self.calls.load(std::sync::atomic::Ordering::Relaxed)
    }
}

/// What one writes by hand: functions and what they are called with.
type Table = Vec<(fn(*const Ear, &Tick), *const Ear)>;

fn enter(ear: *const Ear, tick: &Tick) {
    // SAFETY: the table's ears are kept for the rest of the program.
    unsafe { &*ear }.tick(tick);
}

/// The table of so many handlers.
pub fn floor(handlers: usize) -> Contender {
    let ears: Vec<&'static Ear> = (0..handlers).map(|_| keep(Ear::default())).collect();
    // What went through the black box is not known to be `enter` any more.
    let table: Table = ears.iter().map(|&ear| black_box((enter as fn(_, &_), std::ptr::from_ref(ear)))).collect();
    let run = move |operations| {
        for _ in 0..operations {
            let tick = black_box(&TICK);
            for &(handler, ear) in black_box(&table) {
                handler(ear, tick);
            }
        }
    };
    Contender::new("hand-written table", run, move || ears.iter().map(|ear| ear.calls()).sum())
}

/// Publishing on a runtime whose modules count.
pub fn publish(runtime: &'static Runtime) -> Contender {
    publish_as("publish", runtime)
}

/// The same, under a name.
pub fn publish_as(name: &'static str, runtime: &'static Runtime) -> Contender {
    let run = move |operations| {
        for _ in 0..operations {
            black_box(black_box(runtime).publish(black_box(&TICK)).handled);
        }
    };
    Contender::new(name, run, move || tally(runtime))
}

/// Publishing to so many modules.
pub fn to_modules(builder: Builder, modules: usize) -> Contender {
    publish(running(builder, named(Ear::DESCRIPTOR, modules)))
}

type Closure = Box<dyn Fn(&Tick) + Send + Sync>;

/// Closures behind a lock, and channels that are filled and emptied: what one might use instead.
pub fn others(handlers: usize) -> Vec<Contender> {
    vec![read_locked(handlers), locked(handlers), fan_out(handlers)]
}

fn ears(handlers: usize) -> Vec<&'static Ear> {
    (0..handlers).map(|_| keep(Ear::default())).collect()
}

fn closures(ears: &[&'static Ear]) -> Vec<Closure> {
    ears.iter().map(|&ear| Box::new(move |tick: &Tick| ear.tick(tick)) as Closure).collect()
}

fn sum(ears: Vec<&'static Ear>) -> impl Fn() -> u64 {
    move || ears.iter().map(|ear| ear.calls()).sum()
}

fn read_locked(handlers: usize) -> Contender {
    let ears = ears(handlers);
    let list = RwLock::new(closures(&ears));
    let run = move |operations| {
        for _ in 0..operations {
            let tick = black_box(&TICK);
            for closure in &*black_box(&list).read().expect("nobody panics") {
                closure(tick);
            }
        }
    };
    Contender::new("`Vec<Box<dyn Fn>>` in an `RwLock`", run, sum(ears))
}

fn locked(handlers: usize) -> Contender {
    let ears = ears(handlers);
    let list = Mutex::new(closures(&ears));
    let run = move |operations| {
        for _ in 0..operations {
            let tick = black_box(&TICK);
            for closure in &*black_box(&list).lock().expect("nobody panics") {
                closure(tick);
            }
        }
    };
    Contender::new("`Vec<Box<dyn Fn>>` in a `Mutex`", run, sum(ears))
}

fn fan_out(handlers: usize) -> Contender {
    let ears = ears(handlers);
    let channels: Vec<_> = ears.iter().map(|&ear| (crossbeam_channel::bounded::<Tick>(4), ear)).collect();
    let run = move |operations| {
        for _ in 0..operations {
            let tick = black_box(&TICK);
            for ((tx, _), _) in black_box(&channels) {
                tx.try_send(tick.clone()).expect("there is room");
            }
            for ((_, rx), ear) in black_box(&channels) {
                ear.tick(&rx.try_recv().expect("it was sent"));
            }
        }
    };
    Contender::new("crossbeam-channel, one for each", run, sum(ears))
}

/// The rows.
pub fn rows() -> Vec<Row> {
    let all = [(1, 2.5), (8, 1.5), (64, 1.3), (1000, 1.3)].map(|(modules, budget)| {
        let what = format!("publish to {modules} `&self` handlers");
        let make = move || Field::new(floor(modules), to_modules(Runtime::builder(), modules)).beside(others(modules));
        Row::new(what, make).within(budget)
    });
    all.into_iter().collect()
}

/// The module, for those who mix it with others.
#[must_use]
pub fn ear() -> &'static Descriptor {
    Ear::DESCRIPTOR
}
