//! Config fields: how a value, or its default, gets into a module.

use alloc::string::ToString;
use core::marker::PhantomData;

use super::{CAPTURES, closure, done, exclusive, finish};
use crate::config::{self, ConfigKey, FromConfig, IntoDefault};
use crate::context::Context;
use crate::descriptor::{SettingEntry, Status};
use crate::error::ModuleError;

/// A config field of module `M`.
#[doc(hidden)]
#[derive(Debug)]
#[repr(transparent)]
pub struct Setting<M> {
    entry: SettingEntry,
    module: PhantomData<fn(&mut M)>,
}

#[doc(hidden)]
impl<M> Setting<M> {
    /// A key that must be set.
    pub const fn required<T: FromConfig, F>(name: &'static str, ty: &'static str, doc: &'static str, _set: F) -> Self
    where
        F: Fn(&mut M, T) + Copy,
    {
        unsafe fn load<M, T: FromConfig, F: Fn(&mut M, T) + Copy>(
            name: &'static str,
            module: *mut (),
            value: Option<&str>,
            cx: &Context,
        ) -> Status {
            done(finish(cx, || {
                let value = match value {
                    Some(value) => config::read::<T>(name, value)?,
                    None => T::when_missing()
                        .ok_or_else(|| ModuleError::ConfigMissing { key: name.to_string(), expected: T::EXPECTED })?,
                };
                // SAFETY: `set` was passed to the constructor; the module is the callers' promise.
                let (set, module) = unsafe { (closure::<F>(), exclusive::<M>(module)) };
                set(module, value);
                Ok(())
            }))
        }
        assert!(size_of::<F>() == 0, "{}", CAPTURES);
        Self {
            entry: SettingEntry { key: ConfigKey { name, ty, default: None, doc }, load: load::<M, T, F> },
            module: PhantomData,
        }
    }

    /// A key with a default.
    pub const fn with_default<T: FromConfig, D: IntoDefault<T>, F, G>(
        name: &'static str,
        ty: &'static str,
        doc: &'static str,
        text: &'static str,
        _set: F,
        _default: G,
    ) -> Self
    where
        F: Fn(&mut M, T) + Copy,
        G: Fn() -> D + Copy,
    {
        unsafe fn load<M, T: FromConfig, D: IntoDefault<T>, F: Fn(&mut M, T) + Copy, G: Fn() -> D + Copy>(
            name: &'static str,
            module: *mut (),
            value: Option<&str>,
            cx: &Context,
        ) -> Status {
            done(finish(cx, || {
                // SAFETY: `set` and `default` were passed to the constructor; the module is the callers' promise.
                let (set, default, module) = unsafe { (closure::<F>(), closure::<G>(), exclusive::<M>(module)) };
                let value = match value {
                    Some(value) => config::read::<T>(name, value)?,
                    None => default().into_default(),
                };
                set(module, value);
                Ok(())
            }))
        }
        assert!(size_of::<F>() == 0, "{}", CAPTURES);
        assert!(size_of::<G>() == 0, "{}", CAPTURES);
        Self {
            entry: SettingEntry { key: ConfigKey { name, ty, default: Some(text), doc }, load: load::<M, T, D, F, G> },
            module: PhantomData,
        }
    }
}
