//! Having modules to oneself: those who come anew wait, and those who are inside are waited for.
//!
//! All modules of a gate are had at once or not at all. While one of them is still busy the others are given back each
//! time, because whoever is inside the one may call another of them: that call passes the gate.

use alloc::string::ToString;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::sync::atomic::Ordering;
use core::time::Duration;

use crate::error::ModuleError;
#[cfg(feature = "std")]
use crate::runtime::Runtime;
use crate::runtime::inner::Inner;
use crate::runtime::instance::Instance;
#[cfg(feature = "std")]
use crate::runtime::patience::Backoff;
use crate::runtime::patience::Patience;
use crate::runtime::word::Access;

/// Some running modules that nobody is inside of, and that nobody can enter.
pub(super) struct Gate<'a> {
    inner: &'a Inner,
    gated: Vec<Arc<Instance>>,
    /// Whether everybody has left.
    held: bool,
}

impl<'a> Gate<'a> {
    /// Closes the gate and waits until everybody has left.
    ///
    /// # Errors
    /// When that takes too long, or a module is no longer running. The gate is open again then.
    pub(super) fn close(inner: &'a Inner, instances: Vec<Arc<Instance>>, time: Duration) -> Result<Self, ModuleError> {
        let mut gate = Self { inner, gated: instances, held: false };
        for instance in &gate.gated {
            instance.place.gated.store(true, Ordering::SeqCst);
            if instance.is_lockless() {
                instance.word.gate();
            } else {
                instance.word.hold_off();
            }
        }
        let patience = Patience::of(time);
        #[cfg(feature = "std")]
        let mut backoff = Backoff::new();
        while let Err(busy) = gate.try_hold() {
            if !busy.word.is_open() {
                return Err(busy.not_running());
            }
            if patience.is_over() {
                let inside = inner.calls.inside(&busy.marks());
                let (thread, handler) = match inside {
                    Some(inside) => (inside.thread, busy.handler_name(inside.handler)),
                    None => ("unknown".to_string(), "a handler".to_string()),
                };
                let (module, thread, handler) = (busy.name().to_string(), thread.into(), handler.into());
                return Err(ModuleError::Stuck { module, thread, handler, waited: time });
            }
            #[cfg(feature = "std")]
            backoff.wait();
        }
        gate.held = true;
        Ok(gate)
    }

    /// Takes all of them, or none and says which was busy.
    fn try_hold(&self) -> Result<(), &Instance> {
        for (at, instance) in self.gated.iter().enumerate() {
            if !self.take(instance) {
                self.gated[..at].iter().for_each(|instance| give_back(instance));
                return Err(instance);
            }
        }
        Ok(())
    }

    fn take(&self, instance: &Instance) -> bool {
        if !instance.is_lockless() {
            return instance.word.enter(Access::Exclusive, true).is_ok();
        }
        if !instance.word.seize() {
            return false;
        }
        // Whoever has just left may have closed it: a panic does.
        let is_held = self.inner.calls.inside(&instance.marks()).is_none() && instance.word.is_open();
        if !is_held {
            instance.word.yield_back();
        }
        is_held
    }

    /// Lets callers in again.
    pub(super) fn open(&self, instance: &Instance) {
        if !instance.place.gated.swap(false, Ordering::SeqCst) {
            return;
        }
        if instance.is_lockless() {
            instance.word.ungate();
        } else {
            instance.word.release();
            if self.held {
                instance.word.leave(Access::Exclusive);
            }
        }
    }

    /// Ends the gate of a module that nobody may enter any more.
    pub(super) fn shut(&self, instance: &Instance) {
        if instance.place.gated.swap(false, Ordering::SeqCst) {
            instance.word.close();
            if !instance.is_lockless() {
                instance.word.release();
            }
        }
    }
}

fn give_back(instance: &Instance) {
    if instance.is_lockless() {
        instance.word.yield_back();
    } else {
        instance.word.leave(Access::Exclusive);
    }
}

impl Drop for Gate<'_> {
    fn drop(&mut self) {
        for instance in &self.gated {
            self.open(instance);
        }
    }
}

#[cfg(feature = "std")]
impl Runtime {
    /// Has everybody leave who is inside a module now, before something that cannot wait for them: they are told that nobody needs
    /// them any more ([`Context::is_cancelled`](crate::Context::is_cancelled)), and whoever comes waits. Then all goes on as before.
    /// Whether everybody has left in that time; from inside a module it is not tried.
    pub fn quiesce(&self, time: Duration) -> bool {
        let inner = &*self.inner;
        if inner.up_context().is_some() {
            return false;
        }
        let Ok(_moving) = inner.begin("helix", "quiesce") else { return false };
        let until = std::time::Instant::now() + time;
        loop {
            let running: Vec<_> = inner.in_order().into_iter().filter(|instance| instance.is_running()).collect();
            let left = until.saturating_duration_since(std::time::Instant::now());
            let closed = Gate::close(inner, running.clone(), left).map(drop);
            running.iter().for_each(|instance| inner.drain_at_opening(&instance.slot));
            match closed {
                Ok(()) => return true,
                Err(ModuleError::Stuck { .. }) => return false,
                Err(_) if left.is_zero() => return false,
                // One has failed meanwhile.
                Err(_) => std::thread::yield_now(),
            }
        }
    }
}

impl Inner {
    /// Closes an instance without a lock, and waits until nobody is inside; see `wait_until_empty`.
    pub(super) fn vacate(&self, instance: &Instance) -> bool {
        instance.word.close();
        self.wait_until_empty(instance)
    }

    /// Waits until nobody is inside, unless that may be this very call. Whether nobody is.
    pub(super) fn wait_until_empty(&self, instance: &Instance) -> bool {
        if self.up_context().is_some() {
            return false;
        }
        let patience = Patience::of(self.settings.drain_timeout);
        #[cfg(feature = "std")]
        let mut backoff = Backoff::new();
        while let Some(inside) = self.calls.inside(&instance.marks()) {
            if patience.is_over() {
                // Without `std` it is only known that some call is under way, wherever it is: nothing to warn of.
                if cfg!(feature = "std") {
                    log::warn!(target: instance.name(), "thread {} is still inside", inside.thread);
                }
                return false;
            }
            #[cfg(feature = "std")]
            backoff.wait();
        }
        true
    }
}
