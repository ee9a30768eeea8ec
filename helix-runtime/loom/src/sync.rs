//! What `helix_runtime`'s `sync` offers, of loom's.

pub(crate) use crate::queue::ArrayQueue;
pub(crate) use loom::sync::atomic::{AtomicU32, AtomicUsize, Ordering, fence};

/// Both barriers are the full one: what a pair of unequal weight gives, and no more.
#[derive(Clone, Copy)]
pub(crate) struct Light;

impl Light {
    pub(crate) fn get() -> Self {
        Self
    }

    pub(crate) fn barrier(self) {
        fence(Ordering::SeqCst);
    }
}

pub(crate) fn heavy() {
    fence(Ordering::SeqCst);
}

/// The runtime's lock.
pub(crate) struct Lock<T>(loom::sync::Mutex<T>);

impl<T> Lock<T> {
    pub(crate) fn new(value: T) -> Self {
        Self(loom::sync::Mutex::new(value))
    }

    pub(crate) fn lock(&self) -> loom::sync::MutexGuard<'_, T> {
        self.0.lock().unwrap()
    }
}
