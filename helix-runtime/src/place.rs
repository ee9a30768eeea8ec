//! Where calls go: a module's instance as its callers and its own code see it.

use alloc::boxed::Box;
use core::fmt;
use core::sync::atomic::AtomicBool;
#[cfg(feature = "std")]
use core::sync::atomic::{AtomicPtr, Ordering};

#[cfg(feature = "std")]
pub(crate) use crate::boundary::Remote;
/// Without `std` there is no other copy of this crate.
#[cfg(not(feature = "std"))]
pub(crate) use core::convert::Infallible as Remote;

/// Identifies an instance for as long as its runtime lives.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ModuleId(pub(crate) u32);

impl ModuleId {
    /// As a number: the order of registration.
    pub fn as_u64(self) -> u64 {
        self.0.into()
    }
}

impl fmt::Display for ModuleId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "#{}", self.0)
    }
}

/// Where calls go: a module's instance, or a closure that listens. Its address tells one from another.
///
/// A [`Context`] dereferences to its own, so that `ctx.id` is the module's id without a copy of it for each call.
#[doc(hidden)]
#[derive(Debug)]
#[repr(C)]
pub struct Place {
    /// The module's id.
    pub id: ModuleId,
    pub(crate) name: &'static str,
    /// What it asks its host to allow.
    pub(crate) permissions: &'static [&'static str],
    pub(crate) data_dir: Option<Box<str>>,
    /// Whether a transition has it to itself, or waits for that.
    pub(crate) gated: AtomicBool,
    /// Whether it was taken out of its runtime for good, so that nothing can end with it any more.
    pub(crate) gone: AtomicBool,
    /// What a module in a library asks instead of the context's host; null in one that is linked.
    #[cfg(feature = "std")]
    remote: AtomicPtr<Remote>,
}

impl Place {
    pub(crate) fn new(id: ModuleId, name: &'static str) -> Self {
        Self {
            id,
            name,
            permissions: &[],
            data_dir: None,
            gated: AtomicBool::new(false),
            gone: AtomicBool::new(false),
            #[cfg(feature = "std")]
            remote: AtomicPtr::new(core::ptr::null_mut()),
        }
    }

    /// Lets the module of this place ask the end that was made for it.
    #[cfg(feature = "std")]
    pub(crate) fn ask(&self, remote: *mut Remote) {
        self.remote.store(remote, Ordering::Release);
    }

    /// What the module of this place asks, seen from the copy of this crate that it carries.
    #[inline]
    pub(crate) fn remote(&self) -> Option<&Remote> {
        #[cfg(feature = "std")]
        // SAFETY: only the module's own copy looks at it, which has made it, and it lives as long as the instance.
        return unsafe { self.remote.load(Ordering::Relaxed).as_ref() };
        // Without `std` there is no other copy.
        #[cfg(not(feature = "std"))]
        None
    }
}
