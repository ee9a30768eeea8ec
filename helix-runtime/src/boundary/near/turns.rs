//! Who may be inside an instance at a time.

use std::sync::{Condvar, Mutex, PoisonError};

use super::locked;

/// Handlers that take `&mut self` run alone. The host sees to that; this holds when it has given up on one.
#[derive(Default)]
pub(super) struct Turns {
    inside: Mutex<(usize, bool)>,
    left: Condvar,
}

/// A turn that was taken.
pub(super) struct Turn<'a>(&'a Turns, bool);

impl Turns {
    pub(super) fn take(&self, alone: bool) -> Turn<'_> {
        let mut inside = locked(&self.inside);
        while inside.1 || (alone && inside.0 > 0) {
            inside = self.left.wait(inside).unwrap_or_else(PoisonError::into_inner);
        }
        if alone {
            inside.1 = true;
        } else {
            inside.0 += 1;
        }
        Turn(self, alone)
    }
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        let mut inside = locked(&self.0.inside);
        if self.1 {
            inside.1 = false;
        } else {
            inside.0 -= 1;
        }
        self.0.left.notify_all();
    }
}
