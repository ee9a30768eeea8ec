//! The events that Helix itself knows. Their layout is part of the ABI: they cross a placement boundary as they are.

use helix_macros::helix_message;

use super::{Event, EventType};
use crate::error::ModuleError;

/// A module's name inside an event: at most 64 bytes, in place.
pub type ModuleName = heapless::String<64>;

/// Why a module has crashed, in words, inside an event: at most 192 bytes, in place.
pub type CrashCause = heapless::String<192>;

/// A text as it stands in an event, cut where it is too long.
fn cut<const N: usize>(text: &str) -> heapless::String<N> {
    heapless::String::try_from(&text[..text.floor_char_boundary(N)]).unwrap_or_default()
}

/// The cause that an error tells of.
pub(crate) fn cause_of(error: &ModuleError) -> CrashCause {
    match error {
        ModuleError::Crashed { cause, .. } => cut(cause),
        ModuleError::Panicked { message, .. } => cut(&alloc::format!("it has panicked: {message}")),
        other => cut(&alloc::string::ToString::to_string(other)),
    }
}

/// A name as it stands in an event. A module's is at most 64 bytes; a closure may be called anything, and is cut.
pub(crate) fn in_event(name: &str) -> ModuleName {
    cut(name)
}

/// A periodic timer tick. A gap in the numbers says how many were merged into this one.
#[helix_message]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Tick {
    /// Since the clock's start, in nanoseconds.
    pub timestamp_ns: u64,
    /// Counts up from the clock's start.
    pub tick_number: u64,
}

/// The system is shutting down.
#[helix_message]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shutdown;

/// How scarce memory is.
#[helix_message]
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum PressureLevel {
    /// There is enough.
    Normal,
    /// Caches should shrink.
    Moderate,
    /// What can be given back must be.
    Critical,
}

impl core::fmt::Display for PressureLevel {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.pad(match self {
            Self::Normal => "normal",
            Self::Moderate => "moderate",
            Self::Critical => "critical",
        })
    }
}

/// Memory runs low, or no longer does.
#[helix_message]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MemoryPressure {
    /// How scarce it is.
    pub level: PressureLevel,
}

/// A processor came or went.
#[helix_message]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CpuHotplug {
    /// Which one.
    pub cpu_id: u32,
    /// Whether it can be used from now on.
    pub online: bool,
}

/// A process was created.
#[helix_message]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ProcessCreated {
    /// Its number.
    pub pid: u64,
}

/// A process has ended.
#[helix_message]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ProcessExited {
    /// Its number.
    pub pid: u64,
    /// How it ended; 0 is success.
    pub code: i32,
}

/// A hardware interrupt was raised.
#[helix_message]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Interrupt {
    /// The line.
    pub line: u32,
    /// How often since the last such event.
    pub count: u32,
}

/// A module runs and hears events.
#[helix_message]
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ModuleLoaded {
    /// Its name.
    pub name: ModuleName,
}

/// A module has stopped.
#[helix_message]
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ModuleUnloaded {
    /// Its name.
    pub name: ModuleName,
}

/// A module was replaced by another version of itself.
#[helix_message]
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ModuleReloaded {
    /// Its name.
    pub name: ModuleName,
}

/// A module panicked or died.
#[helix_message]
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ModuleCrashed {
    /// Its name.
    pub name: ModuleName,
    /// Why: what it panicked with, or how its process has ended, and the last lines that this has printed.
    pub cause: CrashCause,
}

/// A module's health was asked for.
#[helix_message]
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HealthCheck {
    /// The module that was asked.
    pub name: ModuleName,
    /// What it answered.
    pub healthy: bool,
}

/// What is known of a built-in event by its name alone.
#[cfg(feature = "std")]
pub(crate) struct Builtin {
    pub(crate) name: &'static str,
    pub(crate) topic: &'static str,
    pub(crate) kind: &'static super::Kind<'static>,
    pub(crate) codec: &'static crate::boundary::EventCodec,
    pub(crate) decode: fn(&[u8]) -> Option<Event>,
}

#[cfg(feature = "std")]
impl Builtin {
    /// The built-in event of that name.
    pub(crate) fn of(name: &str) -> Option<&'static Self> {
        BUILTINS.iter().find(|builtin| builtin.name == name)
    }
}

macro_rules! events {
    ($($ty:ident $topic:literal $name:literal)*) => {
        $(
            impl EventType for $ty {
                const TOPIC: &'static str = $topic;
                const NAME: &'static str = $name;
                const BUILTIN: Option<fn(&Self) -> Event> = Some(|event| Event::$ty(event.clone()));
            }

            impl From<$ty> for Event {
                fn from(event: $ty) -> Self {
                    Self::$ty(event)
                }
            }
        )*

        impl Event {
            /// The event's topic.
            pub fn topic(&self) -> &str {
                match self {
                    $(Self::$ty(_) => $topic,)*
                    Self::Custom(custom) => custom.topic(),
                }
            }

            /// The event's name.
            pub fn name(&self) -> &str {
                match self {
                    $(Self::$ty(_) => $name,)*
                    Self::Custom(custom) => custom.name(),
                }
            }
        }

        /// The built-in events, each with its name.
        #[cfg(feature = "std")]
        pub(crate) const BUILTINS: &[Builtin] = &[$(Builtin {
            name: $name,
            topic: $topic,
            kind: const { &super::Kind::of::<$ty>() },
            codec: crate::boundary::EventCodec::of::<$ty>(),
            decode: |bytes| crate::message::decode::<$ty>(bytes).map(Event::$ty),
        },)*];

        impl super::Publish for Event {
            fn deliver<T>(&self, to: impl FnOnce(&super::Delivery<'_>) -> T) -> T {
                match self {
                    $(Self::$ty(event) => event.deliver(to),)*
                    Self::Custom(custom) => super::Delivery::lend_custom(self, custom, to),
                }
            }
        }
    };
}

events! {
    Tick "tick" "tick"
    Shutdown "shutdown" "shutdown"
    MemoryPressure "memory-pressure" "memory-pressure"
    CpuHotplug "cpu-hotplug" "cpu-hotplug"
    ProcessCreated "process" "process.created"
    ProcessExited "process" "process.exited"
    Interrupt "interrupt" "interrupt"
    ModuleLoaded "module" "module.loaded"
    ModuleUnloaded "module" "module.unloaded"
    ModuleReloaded "module" "module.reloaded"
    ModuleCrashed "module" "module.crashed"
    HealthCheck "health-check" "health-check"
}
