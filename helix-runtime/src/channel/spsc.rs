//! The channel out of an interrupt: one producer, one consumer, a ring between them; no lock, no wake-up, no allocation.
//!
//! What does not fit is counted, on an [`IrqLine`] that the two share, for the consumer to report.

use alloc::sync::Arc;

use super::error::{SendError, TryRecvError};
use crate::irq::IrqLine;

/// A ring of `capacity` values from one producer to one consumer. A capacity of 0 is taken for 1.
///
/// The two ends are made at task level. The producer is then given to the interrupt, which owns it from there on, and
/// the consumer is drained by a task, which nothing wakes: it asks, for instance after an [`IrqLine`] was raised.
///
/// ```
/// use helix_runtime::channel::{TryRecvError, spsc};
///
/// let (mut keyboard, mut keys) = spsc::<u8>(2);
/// let mut interrupt = |key| if keyboard.push(key).is_err() { /* counted, and dropped */ };
/// interrupt(b'a');
/// interrupt(b'b');
/// interrupt(b'c');
/// assert!(keys.drain().eq(*b"ab"));
/// assert_eq!(keys.take_overflowed(), 1);
/// assert_eq!(keys.pop(), Err(TryRecvError::Empty));
/// ```
#[must_use]
pub fn spsc<T>(capacity: usize) -> (Producer<T>, Consumer<T>) {
    let (producer, consumer) = rtrb::RingBuffer::new(capacity.max(1));
    let overflow = Arc::new(IrqLine::new());
    (Producer { ring: producer, overflow: overflow.clone() }, Consumer { ring: consumer, overflow })
}

/// The end that an interrupt pushes into. It is not cloned: a ring has one producer.
pub struct Producer<T> {
    ring: rtrb::Producer<T>,
    /// Raised for each value that did not fit.
    overflow: Arc<IrqLine>,
}

impl<T> Producer<T> {
    /// Pushes a value. It takes no lock, allocates nothing and wakes nobody, so it may be called in an interrupt.
    ///
    /// # Errors
    /// [`SendError::Full`] if there is no room, which is counted for the consumer to see, and [`SendError::Closed`] if the
    /// consumer is gone. Both give the value back.
    ///
    /// ```
    /// use helix_runtime::channel::{SendError, spsc};
    ///
    /// let (mut producer, consumer) = spsc(1);
    /// assert_eq!(producer.push(1), Ok(()));
    /// assert_eq!(producer.push(2), Err(SendError::Full(2)));
    /// assert_eq!(consumer.overflowed(), 1);
    /// drop(consumer);
    /// assert_eq!(producer.push(3), Err(SendError::Closed(3)));
    /// ```
    #[inline]
    pub fn push(&mut self, value: T) -> Result<(), SendError<T>> {
        if self.is_closed() {
            return Err(SendError::Closed(value));
        }
        self.ring.push(value).map_err(|rtrb::PushError::Full(value)| {
            self.overflow.raise();
            SendError::Full(value)
        })
    }

    /// How many values the ring holds at most.
    #[must_use]
    pub fn capacity(&self) -> usize {
        self.ring.buffer().capacity()
    }

    /// Whether there is no room just now.
    #[must_use]
    pub fn is_full(&self) -> bool {
        self.ring.is_full()
    }

    /// Whether the consumer is gone, so that each push fails.
    #[must_use]
    #[inline]
    pub fn is_closed(&self) -> bool {
        self.ring.is_abandoned()
    }
}

impl<T> core::fmt::Debug for Producer<T> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Producer").field("capacity", &self.capacity()).finish_non_exhaustive()
    }
}

/// The end that a task takes the values out of.
pub struct Consumer<T> {
    ring: rtrb::Consumer<T>,
    /// Taken by this end alone.
    overflow: Arc<IrqLine>,
}

impl<T> Consumer<T> {
    /// Takes the oldest value.
    ///
    /// # Errors
    /// [`TryRecvError::Empty`] if there is none now, [`TryRecvError::Closed`] if the producer is gone and all it pushed has
    /// been taken.
    ///
    /// ```
    /// use helix_runtime::channel::{TryRecvError, spsc};
    ///
    /// let (mut producer, mut consumer) = spsc(1);
    /// assert_eq!(consumer.pop(), Err(TryRecvError::Empty));
    /// producer.push(1).unwrap();
    /// drop(producer);
    /// assert_eq!(consumer.pop(), Ok(1));
    /// assert_eq!(consumer.pop(), Err(TryRecvError::Closed));
    /// ```
    #[inline]
    pub fn pop(&mut self) -> Result<T, TryRecvError> {
        match self.ring.pop() {
            Ok(value) => Ok(value),
            Err(_) if !self.ring.is_abandoned() => Err(TryRecvError::Empty),
            // The producer may have pushed and gone since the look above. It cannot any more.
            Err(_) => self.ring.pop().map_err(|_| TryRecvError::Closed),
        }
    }

    /// Takes the values that are there at the call, and no more: it ends even if the interrupt goes on.
    pub fn drain(&mut self) -> PopAll<'_, T> {
        let left = self.len();
        PopAll { consumer: self, left }
    }

    /// How many values did not fit since this was last [taken](Self::take_overflowed).
    #[must_use]
    pub fn overflowed(&self) -> u32 {
        self.overflow.pending()
    }

    /// How many values did not fit since the last call of this. Exact as long as fewer than 2^32 have gathered.
    #[must_use = "what is taken is counted nowhere else"]
    pub fn take_overflowed(&mut self) -> u32 {
        self.overflow.take()
    }

    /// How many values are in the ring.
    #[must_use]
    pub fn len(&self) -> usize {
        self.ring.slots()
    }

    /// How many values the ring holds at most.
    #[must_use]
    pub fn capacity(&self) -> usize {
        self.ring.buffer().capacity()
    }

    /// Whether no value is in the ring: what an idle loop asks, as of [`IrqLine::is_raised`].
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.ring.is_empty()
    }

    /// Whether no value will come any more: the producer is gone, and all it pushed has been taken.
    #[must_use]
    pub fn is_closed(&self) -> bool {
        self.ring.is_abandoned() && self.is_empty()
    }
}

impl<T> core::fmt::Debug for Consumer<T> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Consumer").field("len", &self.len()).field("capacity", &self.capacity()).finish_non_exhaustive()
    }
}

/// What was in a ring: see [`Consumer::drain`].
#[derive(Debug)]
#[must_use = "an iterator takes nothing until it is run"]
pub struct PopAll<'a, T> {
    consumer: &'a mut Consumer<T>,
    left: usize,
}

impl<T> Iterator for PopAll<'_, T> {
    type Item = T;

    #[inline]
    fn next(&mut self) -> Option<T> {
        self.left = self.left.checked_sub(1)?;
        self.consumer.pop().ok()
    }
}
