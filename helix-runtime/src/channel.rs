//! Channels: values on their way from those who have them to those who want them, a bounded number at a time.
//!
//! | | senders | receivers | for |
//! |---|---|---|---|
//! | [`channel`] | many | many | tasks and threads |
//! | [`oneshot`] | one | one | a single value, such as an answer |
//! | [`spsc`] | one | one | from an interrupt to a task |
//!
//! To send never waits, allocates nothing, and gives the value back if it fails. [`Full`](SendError::Full),
//! [`Empty`](TryRecvError::Empty) and `Closed` are told apart, and `Closed` is said only when no sender is left *and* all
//! that was sent has been taken: a value on its way is not lost.
//!
//! ```
//! use helix_runtime::channel::{channel, oneshot};
//!
//! let (tx, rx) = channel::<u32>(16);
//! tx.send(42)?;
//! tx.send(100)?;
//! let mut received = Vec::new();
//! while let Ok(value) = rx.try_recv() {
//!     received.push(value);
//! }
//! assert_eq!(received, [42, 100]);
//!
//! let (tx, rx) = oneshot::<String>();
//! tx.send("done".to_string())?;
//! assert_eq!(rx.try_recv()?, "done");
//! # Ok::<(), Box<dyn core::error::Error>>(())
//! ```
//!
//! A receiver looks ([`Receiver::try_recv`]), waits in a task of any executor ([`Receiver::recv_async`], without std
//! too), or, with the feature `std`, blocks its thread (`recv`, `recv_timeout`). To begin to wait is the expensive part,
//! so that sending need not be: with `std` on Linux a sender runs no memory barrier.
//!
//! In an interrupt only a [`Producer`] may be used; see [`irq`].

#[cfg(feature = "std")]
mod block;
mod error;
mod oneshot;
mod recv;
mod shared;
mod spsc;

use alloc::sync::Arc;

#[cfg(feature = "std")]
pub use block::RecvTimeoutError;
pub use error::{RecvError, SendError, TryRecvError};
pub use oneshot::{OneshotReceiver, OneshotSender, oneshot};
pub use recv::{Drain, Receiver, Recv};
pub use spsc::{Consumer, PopAll, Producer, spsc};

use crate::error::ModuleError;
use crate::irq;
use shared::{Sent, Shared};

/// How many values a [`default_channel`] holds.
pub const DEFAULT_CAPACITY: usize = 64;

/// A channel that holds up to `capacity` values, for any number of senders and receivers. Each value goes to one receiver.
///
/// As sending never waits, a channel without room could carry nothing: a capacity of 0 is taken for 1.
///
/// ```
/// let (tx, rx) = helix_runtime::channel::channel::<&str>(2);
/// let second = tx.clone();
/// tx.send("a")?;
/// second.send("b")?;
/// drop((tx, second));
/// assert!(rx.drain().eq(["a", "b"]));
/// assert!(rx.is_closed());
/// # Ok::<(), Box<dyn core::error::Error>>(())
/// ```
#[must_use]
pub fn channel<T>(capacity: usize) -> (Sender<T>, Receiver<T>) {
    let shared = Arc::new(Shared::new(capacity.max(1)));
    (Sender { shared: shared.clone() }, Receiver { shared })
}

/// A channel that holds up to [`DEFAULT_CAPACITY`] values.
///
/// ```
/// let (tx, _rx) = helix_runtime::channel::default_channel::<u8>();
/// assert_eq!(tx.capacity(), 64);
/// ```
#[must_use]
pub fn default_channel<T>() -> (Sender<T>, Receiver<T>) {
    channel(DEFAULT_CAPACITY)
}

/// The end of a [`channel`] that values go in at. With its last clone goes the receivers' hope for more.
pub struct Sender<T> {
    shared: Arc<Shared<T>>,
}

impl<T> Sender<T> {
    /// Sends a value, and wakes one receiver if any waits. It never waits, and allocates nothing.
    ///
    /// `Ok` says that the value is in the channel, not that it is taken: the last receiver may still go, and the values
    /// with it.
    ///
    /// # Errors
    /// [`SendError::Full`] if there is no room, [`SendError::Closed`] if no receiver is left. Both give the value back.
    ///
    /// ```
    /// use helix_runtime::channel::{SendError, channel};
    ///
    /// let (tx, rx) = channel(1);
    /// assert_eq!(tx.send('a'), Ok(()));
    /// assert_eq!(tx.send('b'), Err(SendError::Full('b')));
    /// assert_eq!(rx.try_recv(), Ok('a'));
    /// assert_eq!(tx.send('b'), Ok(()));
    /// ```
    #[inline]
    #[cfg_attr(debug_assertions, track_caller)]
    pub fn send(&self, value: T) -> Result<(), SendError<T>> {
        irq::assert_task_level("sending");
        if self.shared.push(value)? == Sent::Stranded {
            self.shared.discard();
        }
        Ok(())
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

    /// Whether no receiver is left, so that each send fails.
    ///
    /// ```
    /// let (tx, rx) = helix_runtime::channel::default_channel::<u8>();
    /// assert!(!tx.is_closed());
    /// drop(rx);
    /// assert!(tx.is_closed());
    /// ```
    #[must_use]
    pub fn is_closed(&self) -> bool {
        self.shared.has_no_receiver()
    }
}

impl<T> Clone for Sender<T> {
    fn clone(&self) -> Self {
        self.shared.add_sender();
        Self { shared: self.shared.clone() }
    }
}

impl<T> Drop for Sender<T> {
    fn drop(&mut self) {
        self.shared.remove_sender();
    }
}

impl<T> core::fmt::Debug for Sender<T> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Sender").field("len", &self.len()).field("capacity", &self.capacity()).finish()
    }
}

impl<T> From<SendError<T>> for ModuleError {
    fn from(error: SendError<T>) -> Self {
        Self::new(match error {
            SendError::Full(_) => "a channel is full",
            SendError::Closed(_) => "a channel is closed",
        })
    }
}

impl From<TryRecvError> for ModuleError {
    fn from(error: TryRecvError) -> Self {
        Self::new(match error {
            TryRecvError::Empty => "a channel is empty",
            TryRecvError::Closed => "a channel is closed",
        })
    }
}

impl From<RecvError> for ModuleError {
    fn from(_: RecvError) -> Self {
        Self::new("a channel is closed")
    }
}
