//! Waiting for a module that another thread is in, where that cannot end in a circle.
//!
//! Two things keep a call out of a module. *Someone is inside* in a way that excludes it; or *others come first*: callers
//! who have waited long, or a transition that waits for the module to be empty. The second gives way to whoever those
//! others wait for: a call of a chain that is inside already, or one that such a chain waits for over others.
//!
//! A call that was made by no other may simply wait: nobody waits for it. Any other enters itself here first. Under the one
//! lock of this file it looks whether someone who holds the module waits, directly or over others, for one that its own
//! chain holds. The last to join such a circle is told so. No user code runs under the lock.

use std::time::Instant;
use std::vec::Vec;

use crate::chain::{Light, Mark};
use crate::context::Context;
use crate::lock::Lock;
use crate::place::Place;
use crate::runtime::patience::{Backoff, Patience};
use crate::runtime::way::{Entered, Way};
use crate::runtime::word::{Access, HeldOff, Refused};

use core::sync::atomic::Ordering;

/// A call that waits: for which place of which host, in which way, and on whose behalf.
#[derive(Clone, Copy)]
struct Waiter {
    host: *const (),
    place: *const Place,
    access: Access,
    chain: *const Context,
}

// SAFETY: the pointers are followed under the lock only, and while a waiter is listed its chain lies still and keeps its
// place: the thread that it belongs to is in `wait`, which takes it off the list before it goes on.
unsafe impl Send for Waiter {}

static WAITERS: Lock<Vec<Waiter>> = Lock::new(Vec::new());

impl Waiter {
    fn chain(&self) -> &Context {
        // SAFETY: see `Send`; the newcomer's belongs to this thread.
        unsafe { &*self.chain }
    }

    fn place(&self) -> &Place {
        // SAFETY: as above.
        unsafe { &*self.place }
    }

    /// Whether this one's chain keeps `wanted` out.
    fn excludes(&self, wanted: &Self) -> bool {
        match self.chain().holds(wanted.host, wanted.place()) {
            Some(Access::Exclusive) => true,
            Some(Access::Shared | Access::Free) => wanted.access == Access::Exclusive,
            None => false,
        }
    }

    /// Whether this one's chain is where a transition of that host, or someone who waits for that place, wants nobody.
    fn is_inside(&self, other: &Self) -> bool {
        self.chain().holds(other.host, other.place()).is_some()
            || (other.place().gated.load(Ordering::Relaxed) && self.chain().is_gated(other.host))
    }
}

/// Whether one of `first` waits, directly or over others, for what `newcomer` holds.
fn wait_for(waiters: &[Waiter], first: impl Fn(&Waiter) -> bool, newcomer: &Waiter) -> bool {
    let mut reached: Vec<bool> = waiters.iter().map(&first).collect();
    let mut front: Vec<usize> = (0..waiters.len()).filter(|at| reached[*at]).collect();
    while let Some(at) = front.pop() {
        if newcomer.excludes(&waiters[at]) {
            return true;
        }
        for (other, waiter) in waiters.iter().enumerate() {
            if !reached[other] && waiter.excludes(&waiters[at]) {
                reached[other] = true;
                front.push(other);
            }
        }
    }
    false
}

/// A place on the list of those who wait.
struct Listed(Waiter);

impl Listed {
    /// Joins, unless whoever holds what this one wants waits for what it holds.
    fn join(waiter: Waiter) -> Option<Self> {
        let mut waiters = WAITERS.lock();
        if wait_for(&waiters, |other| other.excludes(&waiter), &waiter) {
            return None;
        }
        waiters.push(waiter);
        Some(Self(waiter))
    }

    /// Whether those for whom this one holds off wait for it.
    fn is_waited_for(&self) -> bool {
        let waiters = WAITERS.lock();
        let inside = |other: &Waiter| !core::ptr::eq(other.chain, self.0.chain) && other.is_inside(&self.0);
        wait_for(&waiters, inside, &self.0)
    }
}

impl Drop for Listed {
    fn drop(&mut self) {
        let mut waiters = WAITERS.lock();
        if let Some(at) = waiters.iter().position(|waiter| core::ptr::eq(waiter.chain, self.0.chain)) {
            waiters.swap_remove(at);
        }
    }
}

/// Waits until the instance can be entered; `up` is the call that wants to.
pub(super) fn wait<'a>(
    host: *const (),
    way: &'a Way,
    mark: Mark<'a>,
    up: Option<&Context>,
    patience: Patience,
) -> Result<Entered<'a>, Refused> {
    let (instance, access, light) = (way.instance(), way.access, Light::get());
    let place = &instance.place;
    let held = up.and_then(|up| up.holds(host, place));
    match (held, access) {
        (Some(Access::Exclusive), _) | (Some(Access::Shared), Access::Exclusive) => return Err(Refused::Busy),
        _ => {}
    }
    // Whoever comes first waits for this chain too.
    let mut first = held.is_some();
    let mut listed: Option<Listed> = None;
    let mut impatient: Option<HeldOff<'_>> = None;
    let (mut backoff, began) = (Backoff::new(), Instant::now());
    loop {
        // The transition may have begun while this call waited.
        first |= up.is_some_and(|up| up.is_gated(host));
        // Who shares the module joins nobody by impatience: else readers by turns would keep out who waits to be alone.
        let may_barge = access == Access::Exclusive || instance.word.is_empty();
        let barge = first || (impatient.is_some() && may_barge && !place.gated.load(Ordering::Relaxed));
        let refused = match way.enter(mark, light, barge) {
            Ok(entered) => return Ok(entered),
            Err(refused) => refused,
        };
        if refused == Refused::NotRunning {
            return Err(refused);
        }
        if let Some(up) = up {
            let listed = match &mut listed {
                Some(listed) => listed,
                none => none.insert(Listed::join(Waiter { host, place, access, chain: up }).ok_or(Refused::Busy)?),
            };
            if refused == Refused::HeldOff && !first && listed.is_waited_for() {
                first = true;
                continue;
            }
        }
        if patience.is_over() {
            return Err(Refused::Late(began.elapsed()));
        }
        if backoff.is_long() && impatient.is_none() && access != Access::Free {
            impatient = Some(instance.word.held_off());
        }
        backoff.wait();
    }
}
