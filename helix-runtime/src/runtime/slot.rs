//! What stays of a module when its instance is replaced: its number, and what waits for it.

use alloc::boxed::Box;
use alloc::collections::VecDeque;
use core::sync::atomic::{AtomicU32, AtomicUsize, Ordering};

use crate::event::Event;
use crate::lock::Lock;
use crate::place::ModuleId;
use crate::runtime::mailbox::Mailbox;

pub(crate) struct Slot {
    pub(crate) id: ModuleId,
    pub(crate) data_dir: Option<Box<str>>,
    /// Events that found the module busy; delivered when it is released.
    pub(crate) busy: Kept,
    /// Events that a handler has put off; delivered by `poll`.
    pub(crate) deferred: Kept,
    pub(crate) mailbox: Lock<Mailbox>,
    generations: AtomicU32,
}

impl Slot {
    pub(crate) fn new(id: ModuleId, data_dir: Option<Box<str>>, limits: Limits) -> Self {
        Self {
            id,
            data_dir,
            busy: Kept::new(limits.ring),
            deferred: Kept::new(limits.ring),
            mailbox: Lock::new(Mailbox::new(limits.mailbox)),
            generations: AtomicU32::new(0),
        }
    }
}

impl Slot {
    /// The number of one more instance.
    pub(crate) fn next_generation(&self) -> u32 {
        self.generations.fetch_add(1, Ordering::Relaxed) + 1
    }

    pub(crate) fn has_waiting(&self) -> bool {
        self.busy.len() > 0 || self.deferred.len() > 0 || self.mailbox.lock().len() > 0
    }
}

/// How much may wait for one module.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Limits {
    pub(crate) ring: usize,
    pub(crate) mailbox: usize,
}

/// An event that waits for one handler of a module: the nth of those that hear it.
pub(crate) struct Aside {
    pub(crate) event: Event,
    pub(crate) nth: usize,
}

/// Events that wait: a bounded queue, first come first served.
pub(crate) struct Kept {
    ring: Lock<VecDeque<Aside>>,
    /// How many there are, for those who only want to know whether there are any.
    waiting: AtomicUsize,
    /// How many found no room.
    dropped: AtomicUsize,
    capacity: usize,
}

impl Kept {
    /// How many events there is room for at once, at most.
    const RESERVED: usize = 1024;

    fn new(capacity: usize) -> Self {
        Self { ring: Lock::new(VecDeque::new()), waiting: AtomicUsize::new(0), dropped: AtomicUsize::new(0), capacity }
    }

    /// Makes room at once, so that nothing is allocated later; for one that may grow without a limit, as far as is sane.
    pub(crate) fn reserve(&self) {
        self.ring.lock().reserve_exact(self.capacity.min(Self::RESERVED));
    }

    /// Gives it back when there is no room.
    #[allow(clippy::result_large_err, reason = "nothing is allocated to refuse an event")]
    pub(crate) fn push(&self, aside: Aside) -> Result<(), Aside> {
        let mut ring = self.ring.lock();
        if ring.len() >= self.capacity {
            self.dropped.fetch_add(1, Ordering::Relaxed);
            return Err(aside);
        }
        ring.push_back(aside);
        self.waiting.store(ring.len(), Ordering::Release);
        Ok(())
    }

    /// Takes out the first, if `take` says so; what that gave comes with it. `take` runs under the lock.
    pub(crate) fn pop_if<T>(&self, take: impl FnOnce(&Aside) -> Option<T>) -> Option<(Aside, T)> {
        let mut ring = self.ring.lock();
        let taken = take(ring.front()?)?;
        let first = ring.pop_front()?;
        self.waiting.store(ring.len(), Ordering::Release);
        Some((first, taken))
    }

    pub(crate) fn dropped(&self) -> usize {
        self.dropped.load(Ordering::Relaxed)
    }

    #[inline]
    pub(crate) fn len(&self) -> usize {
        self.waiting.load(Ordering::Acquire)
    }
}
