//! What the lock-free pieces are built of. They name atomics and barriers through here alone, so that loom can run the
//! very same files with its own.

pub(crate) use crate::barrier::{heavy, light};
pub(crate) use core::sync::atomic::{AtomicU32, AtomicUsize, Ordering};
