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

/// A conversation that is under way. However it ends, the next one may begin then.
pub(super) struct Conversation<'a> {
    channels: &'a Channels,
    number: u64,
    pub(super) began: Instant,
    /// At the beginning a channel on which there was one before, if one is there; at the end its own, if it went well.
    pub(super) channel: Option<Channel>,
}

impl Channels {
    pub(super) fn new(most: usize) -> Self {
        Self { now: Mutex::default(), freed: Condvar::new(), most }
    }

    /// Begins a conversation, now or as soon as fewer than so many times as many as usual are under way.
    pub(super) fn begin(
        &self,
        mut began: Instant,
        patience: Duration,
        times: usize,
    ) -> Result<Conversation<'_>, FrameFault> {
        let (mut now, most) = (locked(&self.now), self.most * times);
        if now.busy.len() >= most {
            now.waiting += 1;
            let is_full = |now: &mut Now| now.busy.len() >= most;
            let waited = self.freed.wait_timeout_while(now, patience, is_full);
            let (found, waited) = waited.unwrap_or_else(PoisonError::into_inner);
            now = found;
            now.waiting -= 1;
            if waited.timed_out() {
                return Err(FrameFault::Crowded { most });
            }
            began = Instant::now();
        }
        let number = now.next;
        now.next += 1;
        now.busy.push((number, began));
        Ok(Conversation { channels: self, number, began, channel: now.idle.pop() })
    }

    /// Whether a conversation is under way that had begun by then.
    pub(super) fn is_busy_since(&self, then: Instant) -> bool {
        locked(&self.now).busy.iter().any(|(_, began)| *began <= then)
    }
}

impl Drop for Conversation<'_> {
    fn drop(&mut self) {
        let mut now = locked(&self.channels.now);
        now.busy.retain(|(busy, _)| *busy != self.number);
        now.idle.extend(self.channel.take());
        let is_awaited = now.waiting > 0;
        drop(now);
        if is_awaited {
            // Not each of them may begin.
            self.channels.freed.notify_all();
        }
    }
}
