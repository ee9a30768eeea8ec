//! How a replacement went: what it was about, and where its time has gone.

use alloc::vec::Vec;
use core::time::Duration;

use crate::runtime::Runtime;
use crate::runtime::inner::Inner;
use crate::runtime::state::SavedState;

/// How a replacement went.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Replacement {
    /// The module, and those that were made anew or stopped and started because they need it, in the order of their start.
    pub modules: Vec<&'static str>,
    /// The version of the state that was saved, the version that the successor saves, and the state's length in bytes.
    pub state: Option<(u32, u32, usize)>,
    /// How long callers had to wait at most: while the gate was closed, all of what follows included.
    pub closed: Duration,
    /// How long those inside took to leave.
    pub drained: Duration,
    /// How long the modules' own steps took: saving, restoring, health, stopping and starting.
    pub steps: Duration,
    /// How many events found no room to wait meanwhile, and were dropped.
    pub lost: usize,
}

impl Replacement {
    /// How long the gate was closed for the runtime's own sake.
    pub fn own(&self) -> Duration {
        self.closed.saturating_sub(self.drained + self.steps)
    }
}

impl Runtime {
    /// How the last [`Runtime::replace`] went that was carried out.
    pub fn replacement(&self) -> Option<Replacement> {
        self.inner.replacement.lock().clone()
    }
}

impl Inner {
    /// The time, for durations that are told.
    fn stopwatch(&self) -> Duration {
        #[cfg(feature = "std")]
        return crate::runtime::Clock::now(&crate::runtime::SystemClock);
        #[cfg(not(feature = "std"))]
        self.clock()
    }
}

/// What a transaction writes down while it goes.
pub(super) struct Report<'a> {
    inner: &'a Inner,
    closing: Duration,
    held: Duration,
    made: Replacement,
}

impl<'a> Report<'a> {
    pub(super) fn new(inner: &'a Inner, modules: Vec<&'static str>) -> Self {
        let made = Replacement { modules, ..Replacement::default() };
        Self { inner, closing: Duration::ZERO, held: Duration::ZERO, made }
    }

    pub(super) fn gate_closes(&mut self, dropped: usize) {
        self.made.lost = dropped;
        self.closing = self.inner.stopwatch();
    }

    pub(super) fn gate_is_closed(&mut self) {
        self.held = self.inner.stopwatch();
        self.made.drained = self.held.saturating_sub(self.closing);
    }

    pub(super) fn steps_are_done(&mut self) {
        self.made.steps = self.inner.stopwatch().saturating_sub(self.held);
    }

    pub(super) fn gate_is_open(mut self, dropped: usize) {
        self.made.closed = self.inner.stopwatch().saturating_sub(self.closing);
        self.made.lost = dropped.wrapping_sub(self.made.lost);
        *self.inner.replacement.lock() = Some(self.made);
    }

    /// What the module itself has saved, and which version its successor saves.
    pub(super) fn state(&mut self, saved: &SavedState, next: Option<u32>) {
        if self.made.modules.first() == Some(&saved.module.as_str()) {
            self.made.state = Some((saved.version, next.unwrap_or(saved.version), saved.bytes.len()));
        }
    }
}
