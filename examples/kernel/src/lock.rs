//! The kernel's lock, which never hangs: on one processor, whoever finds it held would wait for himself.

use core::ops::{Deref, DerefMut};

use crate::irq;
use crate::status::Status;
use crate::stop::stop;

/// Exclusive access to a `T`, at task level.
pub struct Lock<T> {
    name: &'static str,
    inner: spin::Mutex<T>,
}

/// The access, until it goes.
pub struct Guard<'a, T>(spin::MutexGuard<'a, T>);

impl<T> Lock<T> {
    /// A lock under a name that messages show.
    pub const fn new(name: &'static str, value: T) -> Self {
        Self { name, inner: spin::Mutex::new(value) }
    }

    /// Takes the lock. In an interrupt, or where it is held already, nobody could give it back: the kernel stops and says so.
    pub fn lock(&self) -> Guard<'_, T> {
        if irq::is_active() {
            stop(
                Status::Hang,
                format_args!(
                    "{} was asked for in an interrupt: raise a line there, and do it at task level",
                    self.name
                ),
            );
        }
        let Some(guard) = self.try_lock() else {
            stop(
                Status::Hang,
                format_args!("{} was asked for by the code that holds it: give it back first", self.name),
            )
        };
        guard
    }

    /// Takes the lock if it is free. Interrupts may ask too.
    pub fn try_lock(&self) -> Option<Guard<'_, T>> {
        self.inner.try_lock().map(Guard)
    }
}

impl<T> Deref for Guard<'_, T> {
    type Target = T;
    fn deref(&self) -> &T {
        &self.0
    }
}

impl<T> DerefMut for Guard<'_, T> {
    fn deref_mut(&mut self) -> &mut T {
        &mut self.0
    }
}
