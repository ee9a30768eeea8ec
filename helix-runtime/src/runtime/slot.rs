//! What stays of a module when its instance is replaced: its number, and what waits for it.

use alloc::boxed::Box;
use alloc::collections::VecDeque;

use crate::context::ModuleId;
use crate::event::Event;
use crate::lock::Lock;
use crate::runtime::mailbox::Mailbox;

pub(crate) struct Slot {
    pub(crate) id: ModuleId,
    pub(crate) data_dir: Option<Box<str>>,
    /// Events that found the module busy; delivered when it is released.
    pub(crate) busy: Lock<Ring>,
    /// Events that a handler has put off; delivered by `poll`.
    pub(crate) deferred: Lock<Ring>,
    pub(crate) mailbox: Lock<Mailbox>,
}

impl Slot {
    pub(crate) fn new(id: ModuleId, data_dir: Option<Box<str>>, limits: Limits) -> Self {
        Self {
            id,
            data_dir,
            busy: Lock::new(Ring::new(limits.ring)),
            deferred: Lock::new(Ring::new(limits.ring)),
            mailbox: Lock::new(Mailbox::new(limits.mailbox)),
        }
    }
}

impl Slot {
    pub(crate) fn has_waiting(&self) -> bool {
        self.busy.lock().len() > 0 || self.deferred.lock().len() > 0 || self.mailbox.lock().len() > 0
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

/// A bounded queue, first come first served.
pub(crate) struct Ring {
    waiting: VecDeque<Aside>,
    capacity: usize,
}

impl Ring {
    /// How many events there is room for at once, at most.
    const RESERVED: usize = 1024;

    fn new(capacity: usize) -> Self {
        Self { waiting: VecDeque::new(), capacity }
    }

    /// Makes room at once, so that nothing is allocated later; for one that may grow without a limit, as far as is sane.
    pub(crate) fn reserve(&mut self) {
        self.waiting.reserve_exact(self.capacity.min(Self::RESERVED));
    }

    /// Gives it back when there is no room.
    pub(crate) fn push(&mut self, aside: Aside) -> Result<(), Aside> {
        if self.waiting.len() >= self.capacity {
            return Err(aside);
        }
        self.waiting.push_back(aside);
        Ok(())
    }

    pub(crate) fn pop(&mut self) -> Option<Aside> {
        self.waiting.pop_front()
    }

    /// Puts back what `pop` has given.
    pub(crate) fn put_back(&mut self, aside: Aside) {
        self.waiting.push_front(aside);
    }

    pub(crate) fn len(&self) -> usize {
        self.waiting.len()
    }
}
