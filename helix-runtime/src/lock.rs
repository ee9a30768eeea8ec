//! The one lock of the runtime's own data. No user code runs under it, and none is taken in an interrupt.

use core::ops::{Deref, DerefMut};

use crate::irq;

#[cfg(not(feature = "std"))]
type Mutex<T> = spin::Mutex<T>;
#[cfg(not(feature = "std"))]
type Guard<'a, T> = spin::MutexGuard<'a, T>;
#[cfg(feature = "std")]
type Mutex<T> = std::sync::Mutex<T>;
#[cfg(feature = "std")]
type Guard<'a, T> = std::sync::MutexGuard<'a, T>;

/// Exclusive access to a `T`, for a few instructions at a time.
#[derive(Debug, Default)]
pub(crate) struct Lock<T>(Mutex<T>);

impl<T> Lock<T> {
    pub(crate) const fn new(value: T) -> Self {
        Self(Mutex::new(value))
    }

    /// Panics when it is called in an interrupt (with `std` in debug builds): what was interrupted may hold the lock for ever.
    #[inline]
    #[track_caller]
    pub(crate) fn lock(&self) -> Locked<'_, T> {
        irq::assert_task_level("a lock of the runtime");
        #[cfg(feature = "std")]
        return Locked(self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner));
        #[cfg(not(feature = "std"))]
        Locked(self.0.lock())
    }
}

/// The access, until it goes.
pub(crate) struct Locked<'a, T>(Guard<'a, T>);

impl<T> Deref for Locked<'_, T> {
    type Target = T;
    fn deref(&self) -> &T {
        &self.0
    }
}

impl<T> DerefMut for Locked<'_, T> {
    fn deref_mut(&mut self) -> &mut T {
        &mut self.0
    }
}
