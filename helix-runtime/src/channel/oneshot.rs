//! A channel for a single value, such as an answer: a channel with room for one, whose sender is spent by sending.

use core::future::Future;
use core::pin::Pin;
use core::task::{Context, Poll};
#[cfg(feature = "std")]
use core::time::Duration;

#[cfg(feature = "std")]
use super::block::{self, RecvTimeoutError};
use super::error::{RecvError, SendError, TryRecvError};
use super::shared::{Place, Sent};
use super::{Receiver, Sender, channel};
use crate::irq;

/// A channel for a single value.
///
/// ```
/// use helix_runtime::channel::{TryRecvError, oneshot};
///
/// let (tx, rx) = oneshot::<u32>();
/// assert_eq!(rx.try_recv(), Err(TryRecvError::Empty));
/// tx.send(7)?;
/// assert_eq!(rx.try_recv(), Ok(7));
///
/// let (tx, rx) = oneshot::<u32>();
/// drop(tx);
/// assert_eq!(rx.try_recv(), Err(TryRecvError::Closed));
/// # Ok::<(), Box<dyn core::error::Error>>(())
/// ```
#[must_use]
pub fn oneshot<T>() -> (OneshotSender<T>, OneshotReceiver<T>) {
    let (sender, receiver) = channel(1);
    (OneshotSender { sender }, OneshotReceiver { receiver, place: Place::default() })
}

/// The end that the value goes in at. If it goes without, the receiver is told.
pub struct OneshotSender<T> {
    sender: Sender<T>,
}

impl<T> OneshotSender<T> {
    /// Sends the value. It never waits, and allocates nothing.
    ///
    /// # Errors
    /// [`SendError::Closed`] if the receiver is gone. It gives the value back.
    ///
    /// ```
    /// let (tx, rx) = helix_runtime::channel::oneshot();
    /// drop(rx);
    /// assert_eq!(tx.send("kept").unwrap_err().into_inner(), "kept");
    /// ```
    #[cfg_attr(debug_assertions, track_caller)]
    pub fn send(self, value: T) -> Result<(), SendError<T>> {
        irq::assert_task_level("sending");
        let shared = &self.sender.shared;
        match shared.push(value)? {
            Sent::Delivered => Ok(()),
            // The receiver went meanwhile. No one else sends here, so what is still there is the value.
            Sent::Stranded => shared.queue().pop().map_or(Ok(()), |value| Err(SendError::Closed(value))),
        }
    }

    /// Whether the receiver is gone, so that it is no use to find a value.
    #[must_use]
    pub fn is_closed(&self) -> bool {
        self.sender.is_closed()
    }
}

impl<T> core::fmt::Debug for OneshotSender<T> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("OneshotSender").finish_non_exhaustive()
    }
}

/// The end that the value comes out of. It is a future, too: of the value, or of [`RecvError`] if the sender goes without.
///
/// ```
/// # use core::{pin::pin, task::{Context, Poll, Waker}, future::Future};
/// let (tx, rx) = helix_runtime::channel::oneshot();
/// let mut answer = pin!(rx);
/// let mut context = Context::from_waker(Waker::noop());
/// assert_eq!(answer.as_mut().poll(&mut context), Poll::Pending);
/// tx.send(42).unwrap();
/// assert_eq!(answer.as_mut().poll(&mut context), Poll::Ready(Ok(42)));
/// ```
pub struct OneshotReceiver<T> {
    receiver: Receiver<T>,
    place: Place,
}

impl<T> OneshotReceiver<T> {
    /// The value, if it is there. It never waits.
    ///
    /// # Errors
    /// [`TryRecvError::Empty`] if it is not there yet, [`TryRecvError::Closed`] if it was taken before, or the sender went
    /// without sending.
    #[cfg_attr(debug_assertions, track_caller)]
    pub fn try_recv(&self) -> Result<T, TryRecvError> {
        self.receiver.try_recv()
    }

    /// Blocks the thread until the value is there.
    ///
    /// # Errors
    /// [`RecvError`] if the sender went without sending.
    ///
    /// ```
    /// let (tx, rx) = helix_runtime::channel::oneshot();
    /// std::thread::spawn(move || tx.send(1));
    /// assert_eq!(rx.recv(), Ok(1));
    /// ```
    #[cfg(feature = "std")]
    pub fn recv(self) -> Result<T, RecvError> {
        block::on(self)
    }

    /// Blocks the thread until the value is there, or the time is over.
    ///
    /// # Errors
    /// [`RecvTimeoutError::Timeout`] if it did not come in time, [`RecvTimeoutError::Closed`] if it will not come.
    ///
    /// ```
    /// # use std::time::Duration;
    /// let (tx, rx) = helix_runtime::channel::oneshot();
    /// assert!(rx.recv_timeout(Duration::from_millis(1)).is_err());
    /// tx.send(1).unwrap();
    /// assert_eq!(rx.recv_timeout(Duration::from_millis(1)), Ok(1));
    /// ```
    #[cfg(feature = "std")]
    pub fn recv_timeout(&self, timeout: Duration) -> Result<T, RecvTimeoutError> {
        self.receiver.recv_timeout(timeout)
    }

    /// Whether the value will not come any more: it was taken, or the sender went without sending.
    #[must_use]
    pub fn is_closed(&self) -> bool {
        self.receiver.is_closed()
    }
}

impl<T> Future for OneshotReceiver<T> {
    type Output = Result<T, RecvError>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.get_mut();
        this.receiver.shared.poll_recv(&mut this.place, cx.waker())
    }
}

impl<T> Drop for OneshotReceiver<T> {
    fn drop(&mut self) {
        self.receiver.shared.leave(&mut self.place);
    }
}

impl<T> core::fmt::Debug for OneshotReceiver<T> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("OneshotReceiver").finish_non_exhaustive()
    }
}
