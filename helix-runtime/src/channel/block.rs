//! Blocks a thread on a future: the one place where a channel's waiting meets the operating system.

use alloc::sync::Arc;
use alloc::task::Wake;
use core::future::Future;
use core::pin::Pin;
use core::task::{Context, Poll, Waker};
use core::time::Duration;
use std::thread::{self, Thread};
use std::time::Instant;

use super::error::RecvError;

/// Why no value came in time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum RecvTimeoutError {
    /// The time is over; a value may come later.
    #[error("nothing came through the channel in time")]
    Timeout,
    /// There is none and there never will be: no sender is left, and all that was sent has been taken.
    #[error("the channel is closed: it is empty and no sender is left")]
    Closed,
}

std::thread_local! {
    // Made once a thread, so that to block allocates nothing after the first time.
    static UNPARK: Waker = Waker::from(Arc::new(Unpark(thread::current())));
}

struct Unpark(Thread);

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
    fn wake_by_ref(self: &Arc<Self>) {
        self.0.unpark();
    }
}

/// When to give up; never, if the clock does not go so far.
pub(super) struct Deadline(Option<Instant>);

impl Deadline {
    pub(super) fn after(timeout: Duration) -> Self {
        Self(Instant::now().checked_add(timeout))
    }

    /// Parks the thread until it is woken. False if there is no time left.
    fn park(&self) -> bool {
        let Some(deadline) = self.0 else {
            thread::park();
            return true;
        };
        let left = deadline.saturating_duration_since(Instant::now());
        thread::park_timeout(left);
        !left.is_zero()
    }
}

/// The future's value, however long it takes.
pub(super) fn on<T>(future: impl Future<Output = Result<T, RecvError>> + Unpin) -> Result<T, RecvError> {
    on_until(future, Deadline(None)).map_err(|_| RecvError)
}

/// The future's value, if it comes in time.
pub(super) fn on_until<T>(
    mut future: impl Future<Output = Result<T, RecvError>> + Unpin,
    deadline: Deadline,
) -> Result<T, RecvTimeoutError> {
    let waker = UNPARK.with(Waker::clone);
    let mut context = Context::from_waker(&waker);
    loop {
        if let Poll::Ready(result) = Pin::new(&mut future).poll(&mut context) {
            return result.map_err(|RecvError| RecvTimeoutError::Closed);
        }
        if !deadline.park() {
            return Err(RecvTimeoutError::Timeout);
        }
    }
}
