//! Several threads that publish at once to one runtime, against as many that walk one table.

use std::cell::Cell;
use std::hint::black_box;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{self, Receiver, Sender};
use std::sync::{Arc, Barrier};
use std::thread;
use std::time::{Duration, Instant};

use helix_runtime::prelude::*;
use helix_runtime::{Module, Runtime};

use crate::row::{Contender, Field};
use crate::table::Entry;
use crate::work::{TICK, named, running};

const MODULES: usize = 8;

thread_local! {
    static HEARD: Cell<u64> = const { Cell::new(0) };
}

/// Counts for this thread alone: handlers that write to one place would measure that place.
#[inline(never)]
fn note_here(number: u64) {
    HEARD.set(HEARD.get().wrapping_add(number));
}

/// Hears ticks, and keeps nothing of them.
#[helix_module(name = "passer-by")]
#[derive(Default)]
pub struct PasserBy;

#[helix_handlers]
impl PasserBy {
    #[on_event(Tick)]
    fn tick(&self, tick: &Tick) {
        note_here(tick.tick_number);
    }
}

/// What one thread has done: when it began and ended, and how many calls it counted.
struct Done {
    began: Instant,
    ended: Instant,
    calls: u64,
}

fn thread(meet: Arc<Barrier>, publish: impl Fn() + Send + 'static) -> (Sender<u64>, Receiver<Done>) {
    let (jobs, orders) = mpsc::channel::<u64>();
    let (tell, told) = mpsc::channel();
    // It ends with the contender, which has the other end of its orders.
    thread::spawn(move || {
        while let Ok(operations) = orders.recv() {
            HEARD.set(0);
            meet.wait();
            let began = Instant::now();
            for _ in 0..operations {
                publish();
            }
            let done = Done { began, ended: Instant::now(), calls: HEARD.get() };
            if tell.send(done).is_err() {
                return;
            }
        }
    });
    (jobs, told)
}

/// So many threads that do as many operations each, from the first that begins to the last that ends.
fn at_once(name: &'static str, threads: usize, publish: impl Fn() + Clone + Send + 'static) -> Contender {
    let meet = Arc::new(Barrier::new(threads));
    let crew: Vec<_> = (0..threads).map(|_| thread(meet.clone(), publish.clone())).collect();
    let calls = Arc::new(AtomicU64::new(0));
    let sum = calls.clone();
    let run = move |operations| {
        for (jobs, _) in &crew {
            jobs.send(operations).expect("the thread waits for orders");
        }
        let done: Vec<Done> = crew.iter().map(|(_, told)| told.recv().expect("the thread tells")).collect();
        sum.fetch_add(done.iter().map(|done| done.calls).sum(), Ordering::Relaxed);
        let began = done.iter().map(|done| done.began).min();
        let ended = done.iter().map(|done| done.ended).max();
        began.zip(ended).map_or(Duration::ZERO, |(began, ended)| ended - began)
    };
    Contender::timed(name, run, move || calls.load(Ordering::Relaxed))
}

/// So many threads.
pub fn publishing(threads: usize) -> Field {
    static PASSER_BY: PasserBy = PasserBy;
    let entry: Entry<PasserBy, Tick> = (|passer_by, tick| passer_by.tick(tick), &PASSER_BY);
    let table: Arc<[_]> = (0..MODULES).map(|_| black_box(entry)).collect();
    let walk = move || {
        let tick = black_box(&TICK);
        for &(handler, listener) in black_box(&*table) {
            handler(listener, tick);
        }
    };
    let runtime = running(Runtime::builder(), named(PasserBy::DESCRIPTOR, MODULES));
    let publish = move || {
        black_box(black_box(runtime).publish(black_box(&TICK)).handled);
    };
    Field::new(at_once("hand-written table", threads, walk), at_once("publish", threads, publish))
}
