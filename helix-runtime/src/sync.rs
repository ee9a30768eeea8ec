//! What the lock-free pieces are built of. They name atomics, barriers, the queue and the lock through here alone, so
//! that loom can run the very same files with its own.

#[cfg(target_has_atomic = "ptr")]
pub(crate) use crate::barrier::{Light, heavy};
#[cfg(target_has_atomic = "ptr")]
pub(crate) use crate::lock::Lock;
#[cfg(target_has_atomic = "ptr")]
pub(crate) use core::sync::atomic::AtomicUsize;
pub(crate) use core::sync::atomic::{AtomicU32, Ordering};
#[cfg(target_has_atomic = "ptr")]
pub(crate) use crossbeam_queue::ArrayQueue;
