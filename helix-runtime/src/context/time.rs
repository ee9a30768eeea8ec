//! How long a call is waited for.

use core::sync::atomic::Ordering;
use core::time::Duration;

use super::{Context, Hold};
use crate::runtime::Patience;

impl Context {
    #[inline]
    pub(crate) fn patience(&self) -> Patience {
        self.patience
    }

    /// Lets this call, and what it leads to, wait no longer than that. Not if its callers wait less long: whether it does.
    #[inline]
    pub(crate) fn bound(&mut self, patience: Patience) -> bool {
        self.patience.shorten(patience)
    }

    /// How long whoever has called this, directly or over others, still waits for it; nothing if they wait for ever.
    ///
    /// A request may carry an end ([`Request::with_timeout`](crate::Request::with_timeout)), which holds for all that is asked on its behalf. It is zero too
    /// when a stop or a replacement of a module in this chain of calls waits for it to return.
    pub fn time_left(&self) -> Option<Duration> {
        #[cfg(feature = "std")]
        if let Some(remote) = self.remote() {
            return remote.time_left();
        }
        self.time_left_here()
    }

    /// Whether nobody needs what this call comes to any more: no time is [left](Self::time_left).
    ///
    /// Whatever a handler has begun it ends: what takes long looks at this now and then, and returns early.
    ///
    /// ```
    /// use core::time::Duration;
    /// use helix_runtime::prelude::*;
    ///
    /// #[helix_module]
    /// #[derive(Default)]
    /// struct Miner;
    ///
    /// #[helix_handlers]
    /// impl Miner {
    ///     /// Tries until it is not waited for any more.
    ///     #[on_request]
    ///     fn mine(&self, ctx: &Context) -> u64 {
    ///         (0..).find(|_| ctx.is_cancelled()).unwrap_or_default()
    ///     }
    /// }
    ///
    /// let runtime = helix_runtime::Runtime::builder().modules(helix_runtime::modules![Miner]).build().unwrap();
    /// runtime.start().unwrap();
    /// let request = Request::new("mine").with_timeout(Duration::from_millis(5));
    /// runtime.router().send_to("miner", request).unwrap();
    /// ```
    pub fn is_cancelled(&self) -> bool {
        self.time_left() == Some(Duration::ZERO)
    }

    /// The same as `time_left`, for the copy of this crate that the call has come from.
    pub(crate) fn time_left_here(&self) -> Option<Duration> {
        let is_wanted = self.links().any(|link| link.place().gated.load(Ordering::Relaxed));
        if is_wanted && !self.links().any(|link| link.hold == Hold::Gated) {
            return Some(Duration::ZERO);
        }
        self.patience.left()
    }
}
