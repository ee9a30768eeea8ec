//! One change of a host at a time.

use std::sync::{Condvar, Mutex, PoisonError};
use std::thread::ThreadId;
use std::time::Duration;

use super::{HostFault, locked};

/// Who changes the host at the moment.
#[derive(Debug, Default)]
pub(super) struct Changing {
    by: Mutex<Option<ThreadId>>,
    free: Condvar,
}

/// A change that is under way, until it goes.
pub(super) struct Change<'a>(&'a Changing);

/// How long a change waits for the one before it. Modules run in the middle of one, and one of them may wait for this very one.
const PATIENCE: Duration = Duration::from_secs(10);

impl Changing {
    /// Begins a change.
    ///
    /// # Errors
    /// When another one does not end, or when it is this very thread's: what a module does in the middle of a change cannot
    /// be another change.
    pub(super) fn begin(&self) -> Result<Change<'_>, HostFault> {
        let own = std::thread::current().id();
        let by = locked(&self.by);
        if *by == Some(own) {
            return Err(HostFault::Changing);
        }
        let (mut by, _) =
            self.free.wait_timeout_while(by, PATIENCE, |by| by.is_some()).unwrap_or_else(PoisonError::into_inner);
        if by.is_some() {
            return Err(HostFault::Changing);
        }
        *by = Some(own);
        Ok(Change(self))
    }
}

impl Drop for Change<'_> {
    fn drop(&mut self) {
        *locked(&self.0.by) = None;
        self.0.free.notify_all();
    }
}
