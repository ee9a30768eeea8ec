//! The receiving end of a channel: looking, waiting in a task, blocking a thread.

use alloc::sync::Arc;
use core::future::Future;
use core::pin::Pin;
use core::task::{Context, Poll};
#[cfg(feature = "std")]
use core::time::Duration;

#[cfg(feature = "std")]
use super::block::{self, Deadline, RecvTimeoutError};
use super::error::{RecvError, TryRecvError};
use super::shared::{Place, Shared};
use crate::irq;

/// The end of a [`channel`](super::channel()) that values come out of. Each value goes to one of its clones.
pub struct Receiver<T> {
    pub(super) shared: Arc<Shared<T>>,
}

impl<T> Receiver<T> {
    /// Takes the value that has waited longest. It never waits, and allocates nothing.
    ///
    /// # Errors
    /// [`TryRecvError::Empty`] if there is none now, [`TryRecvError::Closed`] if there will be none any more.
    ///
    /// ```
    /// use helix_runtime::channel::{TryRecvError, channel};
    ///
    /// let (tx, rx) = channel(4);
    /// assert_eq!(rx.try_recv(), Err(TryRecvError::Empty));
    /// tx.send(1).unwrap();
    /// drop(tx);
    /// assert_eq!(rx.try_recv(), Ok(1));
    /// assert_eq!(rx.try_recv(), Err(TryRecvError::Closed));
    /// ```
    #[inline]
    #[cfg_attr(debug_assertions, track_caller)]
    pub fn try_recv(&self) -> Result<T, TryRecvError> {
        irq::assert_task_level("receiving");
        self.shared.try_recv()
    }

    /// Takes the values that are there at the call, and no more: it ends even if senders go on.
    ///
    /// ```
    /// let (tx, rx) = helix_runtime::channel::channel(4);
    /// tx.send(1).unwrap();
    /// for value in rx.drain() {
    ///     tx.send(value + 1).unwrap();
    /// }
    /// assert_eq!(rx.try_recv(), Ok(2));
    /// ```
    pub fn drain(&self) -> Drain<'_, T> {
        Drain { receiver: self, left: self.len() }
    }

    /// Waits for a value, in a task of any executor.
    ///
    /// The future may be dropped at any time: it has taken a value only if it has returned it, and a wake-up that it
    /// leaves unused goes to the next who waits.
    ///
    /// # Errors
    /// [`RecvError`] if no sender is left and all that was sent has been taken.
    ///
    /// ```
    /// # use core::{future::Future, pin::pin, task::{Context, Poll, Waker}};
    /// let (tx, rx) = helix_runtime::channel::channel(4);
    /// let mut next = pin!(rx.recv_async());
    /// let mut context = Context::from_waker(Waker::noop());
    /// assert_eq!(next.as_mut().poll(&mut context), Poll::Pending);
    /// tx.send(1).unwrap();
    /// assert_eq!(next.as_mut().poll(&mut context), Poll::Ready(Ok(1)));
    /// ```
    pub fn recv_async(&self) -> Recv<'_, T> {
        Recv { shared: &self.shared, place: Place::default() }
    }

    /// Blocks the thread until there is a value.
    ///
    /// # Errors
    /// [`RecvError`] if no sender is left and all that was sent has been taken.
    ///
    /// ```
    /// let (tx, rx) = helix_runtime::channel::channel(4);
    /// std::thread::spawn(move || tx.send(1));
    /// assert_eq!(rx.recv(), Ok(1));
    /// assert!(rx.recv().is_err());
    /// ```
    #[cfg(feature = "std")]
    pub fn recv(&self) -> Result<T, RecvError> {
        block::on(self.recv_async())
    }

    /// Blocks the thread until there is a value, or the time is over.
    ///
    /// # Errors
    /// [`RecvTimeoutError::Timeout`] if no value came in time, [`RecvTimeoutError::Closed`] if none will come any more.
    ///
    /// ```
    /// use std::time::Duration;
    /// use helix_runtime::channel::{RecvTimeoutError, channel};
    ///
    /// let (tx, rx) = channel::<u8>(4);
    /// assert_eq!(rx.recv_timeout(Duration::from_millis(1)), Err(RecvTimeoutError::Timeout));
    /// drop(tx);
    /// assert_eq!(rx.recv_timeout(Duration::from_millis(1)), Err(RecvTimeoutError::Closed));
    /// ```
    #[cfg(feature = "std")]
    pub fn recv_timeout(&self, timeout: Duration) -> Result<T, RecvTimeoutError> {
        block::on_until(self.recv_async(), Deadline::after(timeout))
    }

    /// How many values are in the channel.
    #[must_use]
    pub fn len(&self) -> usize {
        self.shared.queue().len()
    }

    /// How many values the channel holds at most.
    #[must_use]
    pub fn capacity(&self) -> usize {
        self.shared.queue().capacity()
    }

    /// Whether no value is in the channel.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.shared.queue().is_empty()
    }

    /// Whether no value will come any more: no sender is left, and all that was sent has been taken.
    #[must_use]
    pub fn is_closed(&self) -> bool {
        self.shared.has_no_sender() && self.is_empty()
    }
}

impl<T> Clone for Receiver<T> {
    fn clone(&self) -> Self {
        self.shared.add_receiver();
        Self { shared: self.shared.clone() }
    }
}

impl<T> Drop for Receiver<T> {
    fn drop(&mut self) {
        self.shared.remove_receiver();
    }
}

impl<T> core::fmt::Debug for Receiver<T> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Receiver").field("len", &self.len()).field("capacity", &self.capacity()).finish()
    }
}

/// What was in a channel: see [`Receiver::drain`].
#[derive(Debug)]
#[must_use = "an iterator takes nothing until it is run"]
pub struct Drain<'a, T> {
    receiver: &'a Receiver<T>,
    left: usize,
}

impl<T> Iterator for Drain<'_, T> {
    type Item = T;

    fn next(&mut self) -> Option<T> {
        self.left = self.left.checked_sub(1)?;
        self.receiver.try_recv().ok()
    }
}

/// The next value of a channel: see [`Receiver::recv_async`].
#[must_use = "a future waits for nothing until it is polled"]
pub struct Recv<'a, T> {
    shared: &'a Shared<T>,
    place: Place,
}

impl<T> Future for Recv<'_, T> {
    type Output = Result<T, RecvError>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.get_mut();
        this.shared.poll_recv(&mut this.place, cx.waker())
    }
}

impl<T> Drop for Recv<'_, T> {
    fn drop(&mut self) {
        self.shared.leave(&mut self.place);
    }
}

impl<T> core::fmt::Debug for Recv<'_, T> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Recv").finish_non_exhaustive()
    }
}
