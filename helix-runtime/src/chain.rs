//! The calls that are under way: on which stack, and who must not be disturbed by a change.
//!
//! With `std` every thread has a record that anyone may look at (`runtime/readers.rs`) and a pointer to its innermost call,
//! so that a kept handle knows its chain. Without, a runtime counts the calls that are under way in it, and no more.

use alloc::string::String;
use core::ops::Range;
use core::ptr::NonNull;

use crate::context::Context;

/// Shows that a call is under way, so that what it reads is kept: for as long as its guard is there.
#[derive(Clone, Copy)]
pub(crate) struct Keeps<'a>(core::marker::PhantomData<&'a ()>);

#[cfg(feature = "std")]
pub(crate) use with_threads::{Calls, Grace, Light, Mark, this_thread, top};
#[cfg(not(feature = "std"))]
pub(crate) use without_threads::{Calls, Grace, Light, Mark, top};

/// A call that is inside a module.
pub(crate) struct Inside {
    pub(crate) thread: String,
    /// Its mark, which tells the handler.
    pub(crate) handler: usize,
}

#[cfg(feature = "std")]
mod with_threads;

#[cfg(not(feature = "std"))]
mod without_threads;
