//! What one might use for events instead: closures behind a lock, and channels that are filled and emptied.

use std::hint::black_box;
use std::sync::{Mutex, RwLock};

use helix_runtime::prelude::Tick;

use crate::events::Ear;
use crate::row::Contender;
use crate::table::{counts, listeners};
use crate::work::TICK;

type Closure = Box<dyn Fn(&Tick) + Send + Sync>;

/// All of them, with so many handlers.
pub fn others(handlers: usize) -> Vec<Contender> {
    vec![read_locked(handlers), locked(handlers), fan_out(handlers)]
}

fn closures(ears: &[&'static Ear]) -> Vec<Closure> {
    ears.iter().map(|&ear| Box::new(move |tick: &Tick| ear.tick(tick)) as Closure).collect()
}

fn read_locked(handlers: usize) -> Contender {
    let ears = listeners(handlers);
    let list = RwLock::new(closures(&ears));
    let run = move |operations| {
        for _ in 0..operations {
            let tick = black_box(&TICK);
            for closure in &*black_box(&list).read().expect("nobody panics") {
                closure(tick);
            }
        }
    };
    Contender::new("`RwLock<Vec<Box<dyn Fn>>>`", run, counts(ears, Ear::calls))
}

fn locked(handlers: usize) -> Contender {
    let ears = listeners(handlers);
    let list = Mutex::new(closures(&ears));
    let run = move |operations| {
        for _ in 0..operations {
            let tick = black_box(&TICK);
            for closure in &*black_box(&list).lock().expect("nobody panics") {
                closure(tick);
            }
        }
    };
    Contender::new("`Mutex<Vec<Box<dyn Fn>>>`", run, counts(ears, Ear::calls))
}

/// A channel for each handler. Its handlers run on this thread too, so that the work is the same.
fn fan_out(handlers: usize) -> Contender {
    let ears = listeners::<Ear>(handlers);
    let channels: Vec<_> = ears.iter().map(|&ear| (crossbeam_channel::bounded::<Tick>(4), ear)).collect();
    let run = move |operations| {
        for _ in 0..operations {
            let tick = black_box(&TICK);
            for ((tx, _), _) in black_box(&channels) {
                tx.try_send(*tick).expect("there is room");
            }
            for ((_, rx), ear) in black_box(&channels) {
                ear.tick(&rx.try_recv().expect("it was sent"));
            }
        }
    };
    Contender::new("crossbeam-channel, one for each", run, counts(ears, Ear::calls))
}
