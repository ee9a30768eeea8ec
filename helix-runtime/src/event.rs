//! What is published: the kinds of events, the one `Event` that holds any of them, and how a handler sees it.

mod builtin;
mod custom;
mod delivery;
mod heard;
mod hosted;

pub use builtin::*;
#[cfg(feature = "std")]
pub(crate) use builtin::{BUILTINS, Builtin};
pub(crate) use builtin::{cause_of, in_event};
pub use custom::Custom;

#[cfg(feature = "std")]
pub(crate) use delivery::Kind;
pub use delivery::{Delivery, Publish};
#[cfg(feature = "std")]
pub(crate) use heard::Abroad;
pub use heard::{ByName, Heard, HeardAs, Hears, Process};
#[cfg(feature = "std")]
pub(crate) use hosted::OF_HOST;
pub use hosted::*;

#[cfg(feature = "std")]
use alloc::vec::Vec;

use crate::error::ModuleError;
use crate::message::Message;
#[cfg(feature = "std")]
use crate::schema::Shape;

/// A Rust type that is published; `#[derive(EventType)]` implements it.
///
/// ```
/// use helix_runtime::prelude::*;
///
/// #[helix_message]
/// #[derive(Debug, Clone, EventType)]
/// #[event(topic = "net", name = "net.packet")]
/// pub struct Packet { pub bytes: Vec<u8> }
///
/// assert_eq!((Packet::TOPIC, Packet::NAME), ("net", "net.packet"));
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not an event",
    label = "not an event",
    note = "an event carries `#[helix_message]` and `#[derive(Clone, EventType)]`"
)]
pub trait EventType: Message + Clone + Send + Sync {
    /// What one subscribes to; a topic may group several event types.
    const TOPIC: &'static str;
    /// The event's own name, unique among all events.
    const NAME: &'static str;
    /// How a built-in event becomes a variant of [`Event`].
    #[doc(hidden)]
    const BUILTIN: Option<fn(&Self) -> Event> = None;
}

/// Any event.
///
/// ```
/// use helix_runtime::{Event, Tick};
/// let event = Event::from(Tick { timestamp_ns: 1_000_000, tick_number: 1 });
/// assert_eq!((event.topic(), event.name()), ("tick", "tick"));
/// ```
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum Event {
    /// The timer ticked.
    Tick(Tick),
    /// The system is shutting down.
    Shutdown(Shutdown),
    /// Memory runs low, or no longer does.
    MemoryPressure(MemoryPressure),
    /// A processor came or went.
    CpuHotplug(CpuHotplug),
    /// A process was created.
    ProcessCreated(ProcessCreated),
    /// A process has ended.
    ProcessExited(ProcessExited),
    /// A hardware interrupt was raised.
    Interrupt(Interrupt),
    /// A module runs.
    ModuleLoaded(ModuleLoaded),
    /// A module has stopped.
    ModuleUnloaded(ModuleUnloaded),
    /// A module was replaced by another version of itself.
    ModuleReloaded(ModuleReloaded),
    /// A module panicked or died.
    ModuleCrashed(ModuleCrashed),
    /// A module's health was asked for.
    HealthCheck(HealthCheck),
    /// A user's event, or a named payload.
    Custom(Custom),
}

#[cfg(feature = "std")]
impl Event {
    /// The event in postcard, and its schema; nothing when it was published as bytes, or its `Serialize` refuses.
    ///
    /// ```
    /// use helix_runtime::{Event, Tick};
    /// let (shape, bytes) = Event::from(Tick { timestamp_ns: 3, tick_number: 1 }).encode().unwrap();
    /// assert_eq!((shape.to_string(), bytes), ("Tick{timestamp_ns:u64,tick_number:u64}".into(), vec![3, 1]));
    /// ```
    pub fn encode(&self) -> Option<(Shape, Vec<u8>)> {
        self.deliver(|delivery| delivery.encoded())
    }
}

/// What a handler did with an event. `Handled` never stops delivery.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum EventResponse {
    /// It acted on the event.
    Handled,
    /// The event did not concern it.
    Ignored,
    /// Not now: the next `poll` delivers it to this handler again.
    Deferred,
    /// It tried and failed.
    Error(ModuleError),
}

/// The order among the handlers of one event: higher first, then first come first served.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SubscriptionPriority(pub i16);

impl SubscriptionPriority {
    /// After all others.
    pub const LOWEST: Self = Self(-200);
    /// After most.
    pub const LOW: Self = Self(-100);
    /// Unless said otherwise.
    pub const NORMAL: Self = Self(0);
    /// Before most.
    pub const HIGH: Self = Self(100);
    /// Before all others.
    pub const HIGHEST: Self = Self(200);
}

/// How one publication went.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[must_use = "a handler may have failed, or there was no room for an event"]
pub struct PublishResult {
    /// How many handlers acted on it.
    pub handled: u32,
    /// How many said that it did not concern them.
    pub ignored: u32,
    /// How many put it off; the next `poll` delivers it to them again.
    pub deferred: u32,
    /// How many were busy and get it when their module is released.
    pub queued: u32,
    /// How many failed or panicked.
    pub failed: u32,
    /// How many were busy or put it off, while there was no room to keep it for them.
    pub dropped: u32,
    /// Whether the bus was paused, so that nobody heard it.
    pub paused: bool,
    /// The first failure, with the module's name.
    pub first_error: Option<(&'static str, ModuleError)>,
}

impl PublishResult {
    #[cold]
    pub(crate) fn fail(&mut self, module: &'static str, error: ModuleError) {
        self.failed += 1;
        self.first_error.get_or_insert((module, error));
    }

    /// How many handlers it should have reached and never will: those that failed and those it was dropped for.
    pub fn missed(&self) -> u32 {
        self.failed + self.dropped
    }

    /// Whether every handler was reached, or will be, and none failed.
    pub fn is_clean(&self) -> bool {
        self.missed() == 0 && !self.paused
    }
}
