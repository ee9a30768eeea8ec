//! What the ends of a channel share: the values, who is left on either side, and who waits. No `unsafe`, no policy.
//!
//! The usual case, a send that nobody waits for, costs the queue's own push and two loads of `attention`. The rare
//! cases pay for it: who starts to wait, and the last receiver to go, first write `attention`, then run the
//! heavy barrier, then look into the queue. A sender pushes, runs the light one, then looks at `attention`. So
//! of the two at least one sees the other, and no value lies there with its receiver asleep, or with none left.
//!
//! A wake-up is spent on one receiver. If that one does not come for a value, or finds more than one, it wakes the next.

use alloc::collections::VecDeque;
use core::task::{Poll, Waker};

use super::error::{RecvError, SendError, TryRecvError};
use crate::sync::{ArrayQueue, AtomicUsize, Light, Lock, Ordering, heavy};

/// In `attention`: no receiver is left.
const NO_RECEIVER: usize = 1;
/// In `attention`: one receiver more that waits.
const WAITING: usize = 2;

/// What both ends share.
pub(crate) struct Shared<T> {
    queue: ArrayQueue<T>,
    senders: AtomicUsize,
    receivers: AtomicUsize,
    /// What a sender must know: 0 when all it has to do is push.
    attention: AtomicUsize,
    waiting: Lock<Waiting>,
}

/// The receivers that wait, the longest first. A number says whether one is still among them.
#[derive(Default)]
struct Waiting {
    last: u64,
    wakers: VecDeque<(u64, Waker)>,
}

/// A receiver's place among those who wait, if it has one. Whoever holds it calls [`Shared::leave`] before it goes.
#[derive(Debug, Default)]
pub(crate) struct Place(Option<u64>);

impl<T> Shared<T> {
    /// For one sender and one receiver to begin with.
    pub(crate) fn new(capacity: usize) -> Self {
        Self {
            queue: ArrayQueue::new(capacity),
            senders: AtomicUsize::new(1),
            receivers: AtomicUsize::new(1),
            attention: AtomicUsize::new(0),
            waiting: Lock::new(Waiting::default()),
        }
    }

    pub(crate) fn queue(&self) -> &ArrayQueue<T> {
        &self.queue
    }

    /// Sends, and says whether the last receiver went meanwhile and so may not have seen the value.
    #[inline]
    pub(crate) fn push(&self, value: T) -> Result<Sent, SendError<T>> {
        if self.has_no_receiver() {
            return Err(SendError::Closed(value));
        }
        self.queue.push(value).map_err(SendError::Full)?;
        Light::get().barrier();
        match self.attention.load(Ordering::Relaxed) {
            0 => Ok(Sent::Delivered),
            attention => Ok(self.attend(attention)),
        }
    }

    #[cold]
    fn attend(&self, attention: usize) -> Sent {
        if attention & NO_RECEIVER != 0 {
            return Sent::Stranded;
        }
        self.wake_one();
        Sent::Delivered
    }

    /// Takes the value that has waited longest.
    #[inline]
    pub(crate) fn try_recv(&self) -> Result<T, TryRecvError> {
        match self.queue.pop() {
            Some(value) => Ok(value),
            None if self.senders.load(Ordering::Acquire) != 0 => Err(TryRecvError::Empty),
            // A sender may have pushed and gone since the look above. None can any more.
            None => self.queue.pop().ok_or(TryRecvError::Closed),
        }
    }

    /// Takes a value, or makes sure that the waker is called when there may be one.
    pub(crate) fn poll_recv(&self, place: &mut Place, waker: &Waker) -> Poll<Result<T, RecvError>> {
        let mut found = self.look();
        if found.is_none() && self.wait(place, waker) {
            heavy();
            found = self.look();
        }
        match found {
            None => Poll::Pending,
            Some(result) => {
                self.leave(place);
                Poll::Ready(result)
            }
        }
    }

    fn look(&self) -> Option<Result<T, RecvError>> {
        match self.try_recv() {
            Ok(value) => Some(Ok(value)),
            Err(TryRecvError::Closed) => Some(Err(RecvError)),
            Err(TryRecvError::Empty) => None,
        }
    }

    /// Takes a place among those who wait. False if it had one all along, and so has nothing new to look for.
    fn wait(&self, place: &mut Place, waker: &Waker) -> bool {
        let waker = waker.clone();
        let mut waiting = self.waiting.lock();
        if let Some((_, old)) = waiting.wakers.iter_mut().find(|(number, _)| Some(*number) == place.0) {
            let old = core::mem::replace(old, waker);
            drop(waiting);
            drop(old);
            return false;
        }
        waiting.last += 1;
        let number = waiting.last;
        waiting.wakers.push_back((number, waker));
        self.attention.fetch_add(WAITING, Ordering::Relaxed);
        *place = Place(Some(number));
        true
    }

    /// Gives up a place. If a wake-up has been spent on it, the next may need it.
    pub(crate) fn leave(&self, place: &mut Place) {
        let Some(number) = place.0.take() else { return };
        let mut waiting = self.waiting.lock();
        let position = waiting.wakers.iter().position(|(other, _)| *other == number);
        let waker = position.and_then(|position| waiting.wakers.remove(position));
        if waker.is_some() {
            self.attention.fetch_sub(WAITING, Ordering::Relaxed);
        }
        drop(waiting);
        if waker.is_none() && !self.queue.is_empty() {
            self.wake_one();
        }
    }

    fn wake_one(&self) {
        let mut waiting = self.waiting.lock();
        let next = waiting.wakers.pop_front();
        if next.is_some() {
            self.attention.fetch_sub(WAITING, Ordering::Relaxed);
        }
        drop(waiting);
        if let Some((_, waker)) = next {
            waker.wake();
        }
    }

    #[cold]
    fn wake_all(&self) {
        let mut waiting = self.waiting.lock();
        let all = core::mem::take(&mut waiting.wakers);
        self.attention.fetch_sub(WAITING * all.len(), Ordering::Relaxed);
        drop(waiting);
        for (_, waker) in all {
            waker.wake();
        }
    }

    pub(crate) fn has_no_receiver(&self) -> bool {
        self.attention.load(Ordering::Relaxed) & NO_RECEIVER != 0
    }

    pub(crate) fn has_no_sender(&self) -> bool {
        self.senders.load(Ordering::Acquire) == 0
    }

    pub(crate) fn add_sender(&self) {
        self.senders.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn add_receiver(&self) {
        self.receivers.fetch_add(1, Ordering::Relaxed);
    }

    /// A sender goes. With the last one, all who wait learn that nothing more comes.
    pub(crate) fn remove_sender(&self) {
        if self.senders.fetch_sub(1, Ordering::Release) == 1 {
            Light::get().barrier();
            if self.attention.load(Ordering::Relaxed) >= WAITING {
                self.wake_all();
            }
        }
    }

    /// A receiver goes. With the last one go the values that nobody can take any more.
    pub(crate) fn remove_receiver(&self) {
        if self.receivers.fetch_sub(1, Ordering::AcqRel) == 1 {
            self.attention.fetch_or(NO_RECEIVER, Ordering::Relaxed);
            if !self.has_no_sender() {
                heavy();
            }
            self.discard();
        }
    }

    /// Drops what nobody can take any more.
    pub(crate) fn discard(&self) {
        while self.queue.pop().is_some() {}
    }
}

/// How far a sent value came.
#[derive(Debug, PartialEq, Eq)]
#[must_use]
pub(crate) enum Sent {
    /// A receiver is there to take it.
    Delivered,
    /// The last receiver went while it was sent: it may still be in the queue, for its sender to take out.
    Stranded,
}
