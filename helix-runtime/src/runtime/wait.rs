//! Waiting for a module that another thread is in, where that cannot end in a circle.
//!
//! A call that holds no module may simply wait: nobody waits for it. One that does enters itself here first. Under the
//! one lock of this file it looks whether the module it wants is held by a call that waits, directly or over others, for
//! one that it holds itself. The last to join such a circle is told so. No user code runs under the lock.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Instant;
use std::vec::Vec;

use crate::context::{Context, ModuleId};
use crate::runtime::slot::{Access, Entered, Refused, Slot};

/// A call that waits: for which module of which host, and on whose behalf.
#[derive(Clone, Copy)]
struct Waiter {
    host: *const (),
    module: ModuleId,
    chain: *const Context,
}

// SAFETY: the pointers are looked at under the lock only, and while a waiter is listed its chain lies still: the thread
// that it belongs to is in `wait`, which takes it off the list before it goes on.
unsafe impl Send for Waiter {}

static WAITERS: Mutex<Vec<Waiter>> = Mutex::new(Vec::new());

fn waiters() -> MutexGuard<'static, Vec<Waiter>> {
    WAITERS.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Waits until the module can be entered, or until `deadline`; `up` is the call that wants to.
pub(super) fn wait<'a>(
    host: *const (),
    slot: &'a Slot,
    access: Access,
    up: Option<&Context>,
    deadline: Option<Instant>,
) -> Result<Entered<'a>, Refused> {
    let holder = up.filter(|up| up.holds_any());
    if holder.is_some_and(|up| up.holds_lock_of(host, slot.id)) {
        // Who waits to be alone waits for this very call too: beside its own reading it may read again.
        return if access == Access::Shared { slot.enter_again() } else { Err(Refused::Busy) };
    }
    let _listed = match holder {
        Some(up) => Some(Listed::join(Waiter { host, module: slot.id, chain: up }).ok_or(Refused::Busy)?),
        None => None,
    };
    loop {
        if access == Access::Exclusive {
            slot.want();
        }
        match slot.enter(access) {
            Err(Refused::Busy) if deadline.is_some_and(|deadline| Instant::now() >= deadline) => {
                slot.unwant();
                return Err(Refused::Busy);
            }
            Err(Refused::Busy) => std::thread::yield_now(),
            entered => return entered,
        }
    }
}

/// A place on the list of those who wait.
struct Listed(Waiter);

impl Listed {
    /// Joins, unless that closes a circle.
    fn join(waiter: Waiter) -> Option<Self> {
        let mut waiters = waiters();
        if closes_circle(&waiters, waiter) {
            return None;
        }
        waiters.push(waiter);
        Some(Self(waiter))
    }
}

impl Drop for Listed {
    fn drop(&mut self) {
        let mut waiters = waiters();
        if let Some(at) = waiters.iter().position(|waiter| core::ptr::eq(waiter.chain, self.0.chain)) {
            waiters.swap_remove(at);
        }
    }
}

/// Whether whoever holds what `newcomer` wants waits, over any number of others, for what `newcomer` holds.
fn closes_circle(waiters: &[Waiter], newcomer: Waiter) -> bool {
    let holds = |waiter: &Waiter, of: &Waiter| {
        // SAFETY: a listed chain lies still (see `Waiter`), and the newcomer's belongs to this thread.
        unsafe { &*waiter.chain }.holds_lock_of(of.host, of.module)
    };
    let mut reached = std::vec![false; waiters.len()];
    let mut front = std::vec![newcomer];
    while let Some(wanted) = front.pop() {
        for (at, waiter) in waiters.iter().enumerate() {
            if !reached[at] && holds(waiter, &wanted) {
                if holds(&newcomer, waiter) {
                    return true;
                }
                reached[at] = true;
                front.push(*waiter);
            }
        }
    }
    false
}
