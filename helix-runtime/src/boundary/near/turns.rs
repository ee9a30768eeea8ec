//! Who may be inside an instance at a time.

use std::sync::{Condvar, Mutex, PoisonError};

use super::locked;

/// Handlers that take `&mut self` run alone. The host sees to that; this holds when it has given up on one.
#[derive(Default)]
pub(super) struct Turns {
    now: Mutex<Now>,
    left: Condvar,
}

#[derive(Default)]
struct Now {
    /// How many share it.
    inside: usize,
    /// Whether somebody has it alone.
    alone: bool,
    /// How many wait: where nobody does, nobody is woken, which the system would be asked for each time.
    waiting: usize,
}

/// A turn that was taken.
pub(super) struct Turn<'a>(&'a Turns, bool);

impl Turns {
    pub(super) fn take(&self, alone: bool) -> Turn<'_> {
        let mut now = locked(&self.now);
        while now.alone || (alone && now.inside > 0) {
            now.waiting += 1;
            now = self.left.wait(now).unwrap_or_else(PoisonError::into_inner);
            now.waiting -= 1;
        }
        if alone {
            now.alone = true;
        } else {
            now.inside += 1;
        }
        Turn(self, alone)
    }
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        let mut now = locked(&self.0.now);
        if self.1 {
            now.alone = false;
        } else {
            now.inside -= 1;
        }
        if now.waiting > 0 {
            self.0.left.notify_all();
        }
    }
}
