//! What waits to be asked of one module: bounded, the highest priority first, first come first served within one.

use alloc::boxed::Box;
use alloc::collections::VecDeque;
use alloc::vec::Vec;
use core::fmt;
use core::time::Duration;

use crate::error::IpcResult;
use crate::request::{MessagePriority, Request, Response};
use crate::router::MailboxStats;

/// Identifies a queued message for as long as its runtime lives.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MessageId(pub(crate) u64);

impl fmt::Display for MessageId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "message #{}", self.0)
    }
}

/// Called once, with the response or with why there is none.
pub type ReplyHandler = Box<dyn FnOnce(IpcResult<Response>) + Send>;

/// A request that waits.
pub(crate) struct Queued {
    pub(crate) id: MessageId,
    /// The name under which the target was addressed.
    pub(crate) target: Box<str>,
    pub(crate) request: Request,
    /// When it was queued, and when its sender no longer waits.
    pub(crate) since: Duration,
    pub(crate) deadline: Option<Duration>,
    pub(crate) reply: Option<ReplyHandler>,
}

const PRIORITIES: usize = MessagePriority::Critical as usize + 1;

/// The messages of one module.
pub(crate) struct Mailbox {
    /// One queue for each priority.
    waiting: [VecDeque<Queued>; PRIORITIES],
    pub(crate) capacity: usize,
    queued: u64,
    refused: u64,
    expired: u64,
    dropped: u64,
    /// Its owner has gone: nobody will ever be asked.
    pub(crate) closed: bool,
}

impl Mailbox {
    pub(crate) fn new(capacity: usize) -> Self {
        Self { waiting: Default::default(), capacity, queued: 0, refused: 0, expired: 0, dropped: 0, closed: false }
    }

    pub(crate) fn stats(&self, name: &'static str) -> MailboxStats {
        let Self { capacity, queued, refused, expired, dropped, .. } = *self;
        MailboxStats { name, waiting: self.len(), capacity, queued, refused, expired, dropped }
    }

    pub(crate) fn len(&self) -> usize {
        self.waiting.iter().map(VecDeque::len).sum()
    }

    /// Gives it back when the box is full or closed.
    #[allow(clippy::result_large_err, reason = "nothing is allocated to refuse a message")]
    pub(crate) fn push(&mut self, message: Queued) -> Result<(), Queued> {
        if self.closed || self.len() >= self.capacity {
            self.refused += 1;
            return Err(message);
        }
        self.queued += 1;
        self.waiting[message.request.priority as usize].push_back(message);
        Ok(())
    }

    pub(crate) fn pop(&mut self) -> Option<Queued> {
        self.waiting.iter_mut().rev().find_map(VecDeque::pop_front)
    }

    /// Puts a message back where `pop` took it from.
    pub(crate) fn put_back(&mut self, message: Queued) {
        self.waiting[message.request.priority as usize].push_front(message);
    }

    /// Takes out the messages whose senders no longer wait.
    pub(crate) fn expire(&mut self, now: Duration) -> Vec<Queued> {
        let mut expired = Vec::new();
        let is_over = |message: &Queued| message.deadline.is_some_and(|deadline| deadline <= now);
        for queue in self.waiting.iter_mut().rev() {
            if !queue.iter().any(is_over) {
                continue;
            }
            for message in core::mem::take(queue) {
                if is_over(&message) { expired.push(message) } else { queue.push_back(message) }
            }
        }
        self.expired += expired.len() as u64;
        expired
    }

    /// Takes out everything, the highest priority first, and takes nothing more.
    pub(crate) fn clear(&mut self) -> Vec<Queued> {
        self.closed = true;
        self.dropped += self.len() as u64;
        self.waiting.iter_mut().rev().flat_map(core::mem::take).collect()
    }
}
