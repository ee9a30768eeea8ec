//! The floor of calls by name: a `match` on the full name, as one writes it by hand, for four numbers of names.

use crate::desk::Desk;

/// The desks of a program; a smaller program has the first of them.
pub type Desks = [Desk; 25];

/// Names, and the match that finds them.
pub trait Matched {
    /// The modules' names, in order.
    const MODULES: &'static [&'static str];
    /// The full names.
    const NAMES: &'static [&'static str];
    /// Finds a name and makes the call.
    fn call(desks: &Desks, name: &str, number: u64) -> Option<u64>;
}

macro_rules! matched {
    ($(#[$doc:meta])* $ident:ident: $($number:literal $module:literal,)*) => {
        $(#[$doc])*
        pub struct $ident;
        impl Matched for $ident {
            const MODULES: &'static [&'static str] = &[$($module),*];
            const NAMES: &'static [&'static str] = &[$(
                concat!($module, ".get"), concat!($module, ".put"), concat!($module, ".list"),
                concat!($module, ".drop"), concat!($module, ".open"), concat!($module, ".close"),
                concat!($module, ".stat"), concat!($module, ".sync"),
            )*];
            fn call(desks: &Desks, name: &str, number: u64) -> Option<u64> {
                Some(match name {
                    $(
                        concat!($module, ".get") => desks[$number].get(number),
                        concat!($module, ".put") => desks[$number].put(number),
                        concat!($module, ".list") => desks[$number].list(number),
                        concat!($module, ".drop") => desks[$number].drop(number),
                        concat!($module, ".open") => desks[$number].open(number),
                        concat!($module, ".close") => desks[$number].close(number),
                        concat!($module, ".stat") => desks[$number].stat(number),
                        concat!($module, ".sync") => desks[$number].sync(number),
                    )*
                    _ => return None,
                })
            }
        }
    };
}

/// One name: a module with one request.
pub struct One;

impl Matched for One {
    const MODULES: &'static [&'static str] = &["storage"];
    const NAMES: &'static [&'static str] = &["storage.get"];
    fn call(desks: &Desks, name: &str, number: u64) -> Option<u64> {
        match name {
            "storage.get" => Some(desks[0].get(number)),
            _ => None,
        }
    }
}

matched! {
    /// Eight names.
    Eight: 0 "storage",
}

matched! {
    /// 32 names.
    Some32: 0 "storage", 1 "scheduler", 2 "journal", 3 "network",
}

matched! {
    /// 200 names.
    Many200:
    0 "storage", 1 "scheduler", 2 "journal", 3 "network", 4 "timer",
    5 "memory", 6 "console", 7 "display", 8 "keyboard", 9 "mouse",
    10 "audio", 11 "camera", 12 "battery", 13 "thermal", 14 "watchdog",
    15 "cache", 16 "index", 17 "search", 18 "session", 19 "account",
    20 "policy", 21 "audit", 22 "mirror", 23 "backup", 24 "gateway",
}
