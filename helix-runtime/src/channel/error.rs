//! Why a channel did not take a value, or gave none.

/// Why a value was not sent. It gives the value back.
///
/// ```
/// use helix_runtime::channel::{SendError, channel};
///
/// let (tx, rx) = channel::<u32>(1);
/// tx.send(1)?;
/// assert_eq!(tx.send(2), Err(SendError::Full(2)));
/// drop(rx);
/// assert_eq!(tx.send(3).map_err(SendError::into_inner), Err(3));
/// # Ok::<(), SendError<u32>>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SendError<T> {
    /// As many values wait as the channel holds; it can be tried again.
    #[error("the channel is full; send again after the receiver has taken a value, or give it a larger capacity")]
    Full(T),
    /// Nobody is left who could receive.
    #[error("the channel is closed: no receiver is left")]
    Closed(T),
}

impl<T> SendError<T> {
    /// The value that was not sent.
    pub fn into_inner(self) -> T {
        match self {
            Self::Full(value) | Self::Closed(value) => value,
        }
    }

    /// Whether it was for want of room, so that it can be tried again.
    pub fn is_full(&self) -> bool {
        matches!(self, Self::Full(_))
    }

    /// Whether no receiver is left, so that it can never be sent.
    pub fn is_closed(&self) -> bool {
        matches!(self, Self::Closed(_))
    }
}

impl<T> core::fmt::Debug for SendError<T> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(match self {
            Self::Full(_) => "Full(..)",
            Self::Closed(_) => "Closed(..)",
        })
    }
}

/// Why there was no value to take.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TryRecvError {
    /// There is none now; there may be one later.
    #[error("the channel is empty")]
    Empty,
    /// There is none and there never will be: no sender is left, and all that was sent has been taken.
    #[error("the channel is closed: it is empty and no sender is left")]
    Closed,
}

/// No value will ever come: no sender is left, and all that was sent has been taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the channel is closed: it is empty and no sender is left")]
pub struct RecvError;
