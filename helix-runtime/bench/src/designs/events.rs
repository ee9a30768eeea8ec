//! How a publication is kept safe from a change of the table that it walks.
//!
//! - *Per-thread sequence*: a thread's counter is odd while it publishes. A compiler's barrier is all it pays: whoever
//!   changes something pays `membarrier`, and frees what is replaced when every thread that was inside has been outside.
//! - *The same with marks*: before each handler the thread says where it goes, and looks whether the module is open.
//! - *The same with a status and a place*: each handler tells how it went, and is told where it is.
//! - *`arc-swap`*: a borrowed reference count. *`RwLock<Arc<..>>`*: a lock and a reference count.
//! - *In-flight counter*: one atomic counter up and down for each publication, shared by all threads.

use std::hint::black_box;
use std::sync::atomic::{AtomicPtr, AtomicUsize, Ordering};
use std::sync::{Arc, RwLock};

use arc_swap::ArcSwap;
use helix_runtime::prelude::Tick;

use super::{MARK, OPEN, inside, mark};
use crate::events::{self, Ear};
use crate::row::{Contender, Row};
use crate::table::{Entry, counts, listeners};
use crate::work::{TICK, keep};

pub fn rows() -> Vec<Row> {
    let row = |modules| {
        let what = format!("designs of a publication, handlers: {modules}");
        Row::new(what, move || events::all_match(modules).beside(all(modules)))
    };
    [1, 8, 64].into_iter().map(row).collect()
}

fn all(handlers: usize) -> [Contender; 6] {
    [sequence, marks, places, arc_swap, read_locked, in_flight].map(|design| design(handlers))
}

fn table(ears: &[&'static Ear]) -> Vec<Entry<Ear, Tick>> {
    let enter: fn(&'static Ear, &Tick) = |ear, tick| ear.tick(tick);
    ears.iter().map(|&ear| black_box((enter, ear))).collect()
}

/// A table that someone might exchange.
fn exchangeable<T>(table: Vec<T>) -> &'static AtomicPtr<Vec<T>> {
    keep(AtomicPtr::new(core::ptr::from_mut(Box::leak(Box::new(table)))))
}

/// The table as it is now.
fn current<T>(table: &AtomicPtr<Vec<T>>) -> &[T] {
    // SAFETY: the pointer came from a table that is kept for the rest of the program.
    unsafe { &*black_box(table).load(Ordering::SeqCst) }
}

/// A design: how one publication is made.
fn design(name: &'static str, ears: Vec<&'static Ear>, publish: impl Fn(&Tick) + 'static) -> Contender {
    let run = move |operations| {
        for _ in 0..operations {
            publish(black_box(&TICK));
        }
    };
    Contender::new(name, run, counts(ears, Ear::calls))
}

fn sequence(handlers: usize) -> Contender {
    let ears = listeners(handlers);
    let table = exchangeable(table(&ears));
    design("per-thread sequence", ears, move |tick| {
        inside(|| {
            for &(handler, ear) in current(table) {
                handler(ear, tick);
            }
        });
    })
}

fn marks(handlers: usize) -> Contender {
    let ears = listeners(handlers);
    let words = |entry| (entry, keep(AtomicUsize::new(OPEN)));
    let table = exchangeable(table(&ears).into_iter().map(words).collect());
    design("the same with marks", ears, move |tick| {
        inside(|| {
            MARK.with(|own| {
                for &((handler, ear), word) in current(table) {
                    if mark(own, word) {
                        handler(ear, tick);
                    }
                }
                own.store(0, Ordering::Release);
            });
        });
    })
}

/// What a handler of the next design is called with: the event, and where it is.
struct Call<'a> {
    tick: &'a Tick,
    place: AtomicUsize,
}

fn places(handlers: usize) -> Contender {
    let ears = listeners::<Ear>(handlers);
    let enter: fn(&'static Ear, &Call<'_>) -> u8 = |ear, call| {
        ear.tick(call.tick);
        0
    };
    let entry = |&ear: &&'static Ear| (black_box((enter, ear)), keep(AtomicUsize::new(OPEN)));
    let table = exchangeable(ears.iter().map(entry).collect());
    design("the same with a status and a place", ears, move |tick| {
        inside(|| {
            MARK.with(|own| {
                let mut troubles = 0;
                let call = Call { tick, place: AtomicUsize::new(0) };
                for &((handler, ear), word) in current(table) {
                    if mark(own, word) {
                        call.place.store(core::ptr::from_ref(word).addr(), Ordering::Relaxed);
                        troubles += u32::from(handler(ear, &call) != 0);
                    }
                }
                own.store(0, Ordering::Release);
                black_box(troubles);
            });
        });
    })
}

fn arc_swap(handlers: usize) -> Contender {
    let ears = listeners(handlers);
    let table = ArcSwap::from_pointee(table(&ears));
    design("`arc-swap`", ears, move |tick| {
        for &(handler, ear) in &**black_box(&table).load() {
            handler(ear, tick);
        }
    })
}

fn read_locked(handlers: usize) -> Contender {
    let ears = listeners(handlers);
    let table = RwLock::new(Arc::new(table(&ears)));
    design("`RwLock<Arc<..>>`", ears, move |tick| {
        let table = black_box(&table).read().expect("nobody panics").clone();
        for &(handler, ear) in &*table {
            handler(ear, tick);
        }
    })
}

fn in_flight(handlers: usize) -> Contender {
    let ears = listeners(handlers);
    let table = exchangeable(table(&ears));
    let calls = AtomicUsize::new(0);
    design("in-flight counter", ears, move |tick| {
        black_box(&calls).fetch_add(1, Ordering::SeqCst);
        for &(handler, ear) in current(table) {
            handler(ear, tick);
        }
        calls.fetch_sub(1, Ordering::SeqCst);
    })
}
