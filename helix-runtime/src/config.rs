//! Configuration: where values come from, and how they are read with a type.

use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::fmt;

use crate::error::ModuleError;

/// Where configured values come from.
///
/// A static slice of pairs serves a kernel; with a heap, [`ConfigMap`] does.
///
/// ```
/// use helix_runtime::Config;
/// static CONFIG: &[(&str, &str)] = &[("scheduler.round-robin.time_slice_ms", "5")];
/// assert_eq!(CONFIG.value("scheduler.round-robin", "time_slice_ms"), Some("5"));
/// ```
pub trait Config: Send + Sync {
    /// The value of a module's key.
    fn value(&self, module: &str, key: &str) -> Option<&str>;
    /// Every key that is set, as (module, key).
    fn keys(&self) -> Vec<(&str, &str)>;
}

/// The section of the configuration that chooses among a service's providers.
pub(crate) const SERVICES: &str = "services";

/// `module.key`, at the last dot; a service's name may have dots of its own.
fn split(path: &str) -> (&str, &str) {
    if let Some(service) = path.strip_prefix("services.") {
        return (SERVICES, service);
    }
    path.rsplit_once('.').unwrap_or(("", path))
}

impl Config for &'static [(&'static str, &'static str)] {
    fn value(&self, module: &str, key: &str) -> Option<&str> {
        self.iter().find(|(path, _)| split(path) == (module, key)).map(|(_, value)| *value)
    }

    fn keys(&self) -> Vec<(&str, &str)> {
        self.iter().map(|(path, _)| split(path)).collect()
    }
}

/// Values collected while the program starts.
///
/// ```
/// use helix_runtime::{Config, ConfigMap};
/// let config: ConfigMap = [("timer.period_ms", "10")].into_iter().collect();
/// assert_eq!(config.value("timer", "period_ms"), Some("10"));
/// ```
#[derive(Debug, Clone, Default)]
pub struct ConfigMap(alloc::collections::BTreeMap<(String, String), String>);

impl ConfigMap {
    /// Sets one module's key.
    pub fn set(&mut self, module: &str, key: &str, value: impl Into<String>) {
        self.0.insert((module.into(), key.into()), value.into());
    }
}

impl<K: AsRef<str>, V: Into<String>> FromIterator<(K, V)> for ConfigMap {
    /// From pairs of `module.key` and value.
    fn from_iter<I: IntoIterator<Item = (K, V)>>(pairs: I) -> Self {
        let mut map = Self::default();
        for (path, value) in pairs {
            let (module, key) = split(path.as_ref());
            map.set(module, key, value);
        }
        map
    }
}

impl Config for ConfigMap {
    fn value(&self, module: &str, key: &str) -> Option<&str> {
        self.0.iter().find(|((m, k), _)| m == module && k == key).map(|(_, value)| value.as_str())
    }

    fn keys(&self) -> Vec<(&str, &str)> {
        self.0.keys().map(|(module, key)| (module.as_str(), key.as_str())).collect()
    }
}

/// A type that can be read from a configured value.
///
/// ```
/// use helix_runtime::FromConfig;
/// #[derive(Debug, PartialEq)]
/// enum Policy { Fair, Strict }
/// impl FromConfig for Policy {
///     const EXPECTED: &'static str = "`fair` or `strict`";
///     fn from_config(text: &str) -> Option<Self> {
///         match text { "fair" => Some(Self::Fair), "strict" => Some(Self::Strict), _ => None }
///     }
/// }
/// assert_eq!(Policy::from_config("fair"), Some(Policy::Fair));
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be read from the configuration",
    label = "not a configurable type",
    note = "implement `helix_runtime::FromConfig` for it; numbers, `bool`, `char`, `String` and `Option` of such are already"
)]
pub trait FromConfig: Sized {
    /// What a value looks like, for messages: `a whole number from 0 to 255`.
    const EXPECTED: &'static str;
    /// Reads a value.
    fn from_config(text: &str) -> Option<Self>;
    /// What stands for a value that is not set, if anything does.
    fn when_missing() -> Option<Self> {
        None
    }
}

macro_rules! from_str {
    ($($ty:ty = $expected:literal),* $(,)?) => { $(
        impl FromConfig for $ty {
            const EXPECTED: &'static str = $expected;
            fn from_config(text: &str) -> Option<Self> {
                text.parse().ok()
            }
        }
    )* };
}

from_str! {
    u8 = "a whole number from 0 to 255",
    u16 = "a whole number from 0 to 65535",
    u32 = "a whole number from 0 to 4294967295",
    u64 = "a whole number from 0 to 2^64-1",
    u128 = "a whole number from 0 to 2^128-1",
    usize = "a whole number, 0 or above",
    i8 = "a whole number from -128 to 127",
    i16 = "a whole number from -32768 to 32767",
    i32 = "a whole number from -2147483648 to 2147483647",
    i64 = "a whole number from -2^63 to 2^63-1",
    i128 = "a whole number from -2^127 to 2^127-1",
    isize = "a whole number",
    f32 = "a number",
    f64 = "a number",
    bool = "`true` or `false`",
    char = "one character",
}

/// What a value of the type of that name looks like, if the text is none; nothing is known of a module's own types.
///
/// ```
/// use helix_runtime::expected_value;
/// assert_eq!(expected_value("Option<u8>", "256"), Some("a whole number from 0 to 255"));
/// assert_eq!(expected_value("u8", "255"), None);
/// ```
pub fn expected_value(ty: &str, text: &str) -> Option<&'static str> {
    macro_rules! of {
        ($found:expr; $($known:ty)*) => { match $found {
            $(stringify!($known) => <$known>::from_config(text).is_none().then_some(<$known>::EXPECTED),)*
            _ => None,
        } };
    }
    of! { ty.strip_prefix("Option<").and_then(|ty| ty.strip_suffix('>')).unwrap_or(ty);
    u8 u16 u32 u64 u128 usize i8 i16 i32 i64 i128 isize f32 f64 bool char }
}

impl FromConfig for String {
    const EXPECTED: &'static str = "text";
    fn from_config(text: &str) -> Option<Self> {
        Some(text.into())
    }
}

impl<T: FromConfig> FromConfig for Option<T> {
    const EXPECTED: &'static str = T::EXPECTED;
    fn from_config(text: &str) -> Option<Self> {
        T::from_config(text).map(Some)
    }
    fn when_missing() -> Option<Self> {
        Some(None)
    }
}

/// Lets a default be written as a string literal for a `String`.
#[doc(hidden)]
#[diagnostic::on_unimplemented(
    message = "the default of a config field of type `{T}` cannot be `{Self}`",
    label = "expected `{T}`"
)]
pub trait IntoDefault<T> {
    fn into_default(self) -> T;
}

impl<T> IntoDefault<T> for T {
    fn into_default(self) -> T {
        self
    }
}

impl IntoDefault<String> for &'static str {
    fn into_default(self) -> String {
        self.into()
    }
}

/// Reads a value that is set.
pub(crate) fn read<T: FromConfig>(key: &str, value: &str) -> Result<T, ModuleError> {
    T::from_config(value).ok_or_else(|| ModuleError::Config {
        key: key.to_string(),
        value: value.to_string(),
        expected: T::EXPECTED.into(),
    })
}

/// One configurable key of a module, as it is documented.
#[derive(Debug, Clone, Copy)]
pub struct ConfigKey {
    /// The key, without the module's name.
    pub name: &'static str,
    /// The Rust type of its field.
    pub ty: &'static str,
    /// Its default, as it was written; none means that it must be set.
    pub default: Option<&'static str>,
    /// The field's doc comment.
    pub doc: &'static str,
}

impl fmt::Display for ConfigKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.name, self.ty)?;
        if let Some(default) = self.default {
            write!(f, " = {default}")?;
        }
        Ok(())
    }
}
