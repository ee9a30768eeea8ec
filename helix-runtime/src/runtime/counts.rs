//! How often an event was published: exactly, without an atomic step that threads would have to share.
//!
//! Each thread counts for itself, in one of a few places that a number was given for good, by plain stores; who finds the
//! place of a number taken by another counts in the number's own atomic. A total is the sum of all.

use crate::sync::{AtomicUsize, Ordering};

/// How often one thing has happened, less what threads have counted for themselves.
pub(crate) struct Count {
    number: usize,
    shared: AtomicUsize,
}

impl Count {
    /// `number` is nobody else's, and not 0.
    pub(crate) fn new(number: usize) -> Self {
        Self { number, shared: AtomicUsize::new(0) }
    }

    #[allow(dead_code, reason = "as below")]
    pub(crate) fn number(&self) -> usize {
        self.number
    }

    /// Once more, counted by whoever it is.
    #[inline]
    pub(crate) fn add(&self) {
        self.shared.fetch_add(1, Ordering::Relaxed);
    }

    /// How often, with what threads have counted.
    pub(crate) fn total(&self, by_threads: usize) -> usize {
        self.shared.load(Ordering::Relaxed).wrapping_add(by_threads)
    }
}

/// What one thread has counted. Only its own thread adds to it.
#[allow(dead_code, reason = "without `std` threads have no records")]
pub(crate) struct Tallies([Tally; Self::PLACES]);

struct Tally {
    /// Whose place this is; 0 for nobody's.
    number: AtomicUsize,
    times: AtomicUsize,
}

#[allow(dead_code, reason = "without `std` threads have no records")]
impl Tallies {
    const PLACES: usize = 64;

    pub(crate) fn new() -> Self {
        let tally = || Tally { number: AtomicUsize::new(0), times: AtomicUsize::new(0) };
        Self(core::array::from_fn(|_| tally()))
    }

    fn place(&self, number: usize) -> &Tally {
        &self.0[number % Self::PLACES]
    }

    /// Once more.
    #[inline]
    pub(crate) fn add(&self, count: &Count) {
        let place = self.place(count.number);
        if place.number.load(Ordering::Relaxed) == count.number {
            let times = place.times.load(Ordering::Relaxed);
            place.times.store(times.wrapping_add(1), Ordering::Relaxed);
        } else {
            self.add_first(count);
        }
    }

    #[cold]
    fn add_first(&self, count: &Count) {
        let place = self.place(count.number);
        if place.number.load(Ordering::Relaxed) != 0 {
            return count.add();
        }
        place.times.store(1, Ordering::Relaxed);
        // Whoever reads the number reads the times that go with it.
        place.number.store(count.number, Ordering::Release);
    }

    /// How often this thread has counted that number.
    pub(crate) fn of(&self, number: usize) -> usize {
        let place = self.place(number);
        if place.number.load(Ordering::Acquire) == number { place.times.load(Ordering::Relaxed) } else { 0 }
    }

    /// Frees the place of a number that nobody counts any more.
    pub(crate) fn forget(&self, number: usize) {
        let place = self.place(number);
        if place.number.load(Ordering::Relaxed) == number {
            place.number.store(0, Ordering::Release);
        }
    }
}
