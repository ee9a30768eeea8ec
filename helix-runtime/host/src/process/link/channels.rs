//! The channels of a link: one for each conversation that is under way, and no more than so many at a time.

use std::sync::{Condvar, Mutex, PoisonError};
use std::time::{Duration, Instant};

use super::locked;
use crate::process::frame::{Channel, FrameFault};

#[derive(Debug)]
pub(super) struct Channels {
    now: Mutex<Now>,
    /// One is free.
    freed: Condvar,
    /// How many conversations there are at a time.
    most: usize,
}

#[derive(Debug, Default)]
struct Now {
    /// Those on which nobody speaks.
    idle: Vec<Channel>,
    /// Since when somebody speaks on each of the others, with a number for each.
    busy: Vec<(u64, Instant)>,
    next: u64,
    /// How many wait for one.
    waiting: usize,
}

/// Which conversation it is, among those of its link.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Number(u64);

impl Channels {
    pub(super) fn new(most: usize) -> Self {
        Self { now: Mutex::default(), freed: Condvar::new(), most }
    }

    /// Begins a conversation, as soon as fewer than so many are under way. Nothing for its channel where it needs a new one.
    pub(super) fn begin(&self, patience: Duration) -> Result<(Number, Option<Channel>), FrameFault> {
        let mut now = locked(&self.now);
        if now.busy.len() >= self.most {
            now.waiting += 1;
            let is_full = |now: &mut Now| now.busy.len() >= self.most;
            let waited = self.freed.wait_timeout_while(now, patience, is_full);
            let (found, waited) = waited.unwrap_or_else(PoisonError::into_inner);
            now = found;
            now.waiting -= 1;
            if waited.timed_out() {
                return Err(FrameFault::Crowded { most: self.most });
            }
        }
        let number = now.next;
        now.next += 1;
        now.busy.push((number, Instant::now()));
        Ok((Number(number), now.idle.pop()))
    }

    /// A conversation is over; its channel is there for the next one if it went well.
    pub(super) fn end(&self, Number(number): Number, channel: Option<Channel>) {
        let mut now = locked(&self.now);
        now.busy.retain(|(busy, _)| *busy != number);
        now.idle.extend(channel);
        let is_awaited = now.waiting > 0;
        drop(now);
        if is_awaited {
            self.freed.notify_one();
        }
    }

    /// Whether a conversation is under way that had begun by then.
    pub(super) fn is_busy_since(&self, then: Instant) -> bool {
        locked(&self.now).busy.iter().any(|(_, began)| *began <= then)
    }
}
