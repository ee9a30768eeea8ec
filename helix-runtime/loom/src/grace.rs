//! What was replaced is freed once every call has ended that could read it: `Record::enter` and `leave` against the
//! exchange of the view and the grace that follows it, as `Inner::install` and `Calls::grace` make them.

use crate::readers::Record;
use crate::sync::{AtomicUsize, Light, Ordering, heavy};
use crate::{Seen, among_three};
use loom::cell::UnsafeCell;
use loom::sync::Arc;
use loom::thread;

const VIEWS: usize = 3;

/// A pointer to one of some views. A read of one that is freed, or that is freed meanwhile, ends the proof.
struct Exchange<const READERS: usize> {
    view: AtomicUsize,
    alive: [UnsafeCell<bool>; VIEWS],
    records: [Record; READERS],
}

impl<const READERS: usize> Exchange<READERS> {
    fn new() -> Arc<Self> {
        Arc::new(Self {
            view: AtomicUsize::new(0),
            alive: core::array::from_fn(|_| UnsafeCell::new(true)),
            records: core::array::from_fn(|_| Record::new()),
        })
    }

    /// What a call walks.
    fn look(&self) -> usize {
        let at = self.view.load(Ordering::Acquire);
        // SAFETY: loom lends the cell, and ends the proof if someone else has it.
        self.alive[at].with(|alive| assert!(unsafe { *alive }, "read after it was freed"));
        at
    }

    fn call(&self, reader: usize) {
        self.records[reader].enter(Light::get());
        self.look();
        self.records[reader].leave();
    }

    /// Exchanges the view; whose calls must end before the old one may be freed.
    fn install(&self, view: usize) -> (usize, Vec<(usize, usize)>) {
        let old = self.view.swap(view, Ordering::AcqRel);
        heavy();
        let inside = |(at, record): (usize, &Record)| Some((at, record.inside()?));
        (old, self.records.iter().enumerate().filter_map(inside).collect())
    }

    /// Frees the old view if all have left.
    fn reclaim(&self, (old, grace): &(usize, Vec<(usize, usize)>)) -> bool {
        let is_over = grace.iter().all(|(at, sequence)| self.records[*at].has_left(*sequence));
        if is_over {
            // SAFETY: loom lends the cell, and ends the proof if someone else has it.
            self.alive[*old].with_mut(|alive| unsafe { *alive = false });
        }
        is_over
    }
}

#[test]
fn a_view_is_freed_at_once_or_after_the_call_that_may_read_it() {
    static AT_ONCE: Seen = Seen::new();
    static LATER: Seen = Seen::new();
    static NOT_YET: Seen = Seen::new();
    loom::model(|| {
        let exchange = Exchange::<1>::new();
        let reader = thread::spawn({
            let exchange = exchange.clone();
            move || exchange.call(0)
        });
        let retired = exchange.install(1);
        match (retired.1.is_empty(), exchange.reclaim(&retired)) {
            (true, true) => AT_ONCE.note(),
            (_, true) => LATER.note(),
            (_, false) => NOT_YET.note(),
        }
        reader.join().unwrap();
    });
    AT_ONCE.check("nobody was inside");
    LATER.check("someone was inside and has left");
    NOT_YET.check("someone is still inside");
}

#[test]
fn a_thread_that_has_left_and_come_again_reads_the_new_view() {
    loom::model(|| {
        let exchange = Exchange::<1>::new();
        let reader = thread::spawn({
            let exchange = exchange.clone();
            move || {
                exchange.call(0);
                exchange.call(0);
            }
        });
        let retired = exchange.install(1);
        exchange.reclaim(&retired);
        reader.join().unwrap();
    });
}

#[test]
fn a_call_that_reads_the_view_twice_keeps_both() {
    static DIFFERENT: Seen = Seen::new();
    loom::model(|| {
        let exchange = Exchange::<1>::new();
        let reader = thread::spawn({
            let exchange = exchange.clone();
            move || {
                exchange.records[0].enter(Light::get());
                let first = exchange.look();
                if exchange.look() != first {
                    DIFFERENT.note();
                }
                // SAFETY: loom lends the cell, and ends the proof if someone else has it.
                exchange.alive[first].with(|alive| assert!(unsafe { *alive }));
                exchange.records[0].leave();
            }
        });
        for view in [1, 2] {
            let retired = exchange.install(view);
            exchange.reclaim(&retired);
        }
        reader.join().unwrap();
    });
    DIFFERENT.check("the view was exchanged between");
}

#[test]
fn a_view_is_kept_for_each_of_two_readers() {
    among_three(2, || {
        let exchange = Exchange::<2>::new();
        let readers = [0, 1].map(|reader| {
            let exchange = exchange.clone();
            thread::spawn(move || exchange.call(reader))
        });
        let retired = exchange.install(1);
        exchange.reclaim(&retired);
        for reader in readers {
            reader.join().unwrap();
        }
    });
}

#[test]
fn a_writer_that_is_inside_itself_keeps_what_it_reads() {
    loom::model(|| {
        let exchange = Exchange::<2>::new();
        let reader = thread::spawn({
            let exchange = exchange.clone();
            move || exchange.call(0)
        });
        exchange.records[1].enter(Light::get());
        let read = exchange.look();
        let retired = exchange.install(1);
        assert!(!exchange.reclaim(&retired));
        // SAFETY: loom lends the cell, and ends the proof if someone else has it.
        exchange.alive[read].with(|alive| assert!(unsafe { *alive }));
        exchange.records[1].leave();
        exchange.reclaim(&retired);
        reader.join().unwrap();
    });
}
