//! Who reads what a writer has replaced, and who is inside which module: one record for each thread.
//!
//! A record's sequence is odd while its thread is inside a call. What was replaced may be freed once every thread that was
//! inside then has been outside since. A mark names the handler that a call is about to enter; it is made before the
//! module's word is looked at, so that whoever closes the word and then finds no mark knows that nobody is inside.
//!
//! The marks are also what tells which thread is stuck where.

use core::ops::Range;

use crate::sync::{AtomicUsize, Light, Ordering};

/// How deeply calls may be nested at all, over all runtimes of a thread; no runtime's limit is higher.
pub(crate) const MAX_DEPTH: usize = 64;

/// What one thread does.
pub(crate) struct Record {
    sequence: AtomicUsize,
    marks: [AtomicUsize; MAX_DEPTH],
}

impl Record {
    pub(crate) fn new() -> Self {
        Self { sequence: AtomicUsize::new(0), marks: core::array::from_fn(|_| AtomicUsize::new(0)) }
    }

    /// The outermost call of this record's thread begins: what is read from here on is kept.
    ///
    /// Whoever sees it sees that the call before has ended, hence the release: what a thread wrote with one is not
    /// passed on by its next plain store to the same place.
    #[inline]
    pub(crate) fn enter(&self, light: Light) {
        let sequence = self.sequence.load(Ordering::Relaxed);
        self.sequence.store(sequence.wrapping_add(1), Ordering::Release);
        light.barrier();
    }

    /// It ends.
    #[inline]
    pub(crate) fn leave(&self) {
        let sequence = self.sequence.load(Ordering::Relaxed);
        self.sequence.store(sequence.wrapping_add(1), Ordering::Release);
    }

    /// The mark of the call at that depth, which is less than `MAX_DEPTH`.
    #[inline]
    pub(crate) fn mark(&self, depth: u32) -> Mark<'_> {
        Mark(&self.marks[depth as usize % MAX_DEPTH])
    }

    /// The sequence, if the thread is inside a call. After a heavy barrier.
    pub(crate) fn inside(&self) -> Option<usize> {
        let sequence = self.sequence.load(Ordering::Acquire);
        (sequence % 2 == 1).then_some(sequence)
    }

    /// Whether the thread has been outside since it was found inside with that sequence.
    pub(crate) fn has_left(&self, sequence: usize) -> bool {
        self.sequence.load(Ordering::Acquire) != sequence
    }

    /// Which of these handlers a call of this thread is inside of, or about to enter. After a heavy barrier.
    pub(crate) fn is_in(&self, handlers: &Range<usize>) -> Option<usize> {
        self.marks.iter().map(|mark| mark.load(Ordering::Acquire)).find(|mark| handlers.contains(mark))
    }
}

/// Where one call of a thread is.
#[derive(Clone, Copy)]
pub(crate) struct Mark<'a>(&'a AtomicUsize);

impl Mark<'_> {
    /// The call is about to look at the word of the module that has `handler`, which is no address but this one's. It has
    /// left where it was before, which is released as in [`Record::enter`].
    #[inline]
    pub(crate) fn set(self, handler: usize, light: Light) {
        self.0.store(handler, Ordering::Release);
        light.barrier();
    }

    /// The call is nowhere.
    #[inline]
    pub(crate) fn clear(self) {
        self.0.store(0, Ordering::Release);
    }
}
