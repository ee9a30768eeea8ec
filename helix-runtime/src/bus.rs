//! Listening to events without being a module: a closure, its topics and its priority, and the bus they meet on.

use alloc::borrow::Cow;
use alloc::boxed::Box;
use alloc::string::String;
use alloc::vec::Vec;
use core::any::TypeId;
use core::fmt;

use crate::error::IpcResult;
use crate::event::{
    CpuHotplug, Event, EventResponse, EventType, HealthCheck, Heard, Hears, Interrupt, MemoryPressure, ModuleLoaded,
    Process, Publish, PublishResult, Shutdown, SubscriptionPriority, Tick,
};
use crate::runtime::Runtime;
#[cfg(feature = "std")]
use crate::schema::Shape;

/// What one subscribes to.
///
/// ```
/// use helix_runtime::EventTopic;
/// let topics = [EventTopic::Tick, EventTopic::Process, EventTopic::Custom("net.packet".into())];
/// assert_eq!(topics.map(|topic| topic.to_string()), ["tick", "process", "net.packet"]);
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum EventTopic {
    /// [`Tick`].
    Tick,
    /// [`Shutdown`].
    Shutdown,
    /// [`MemoryPressure`].
    MemoryPressure,
    /// [`CpuHotplug`].
    CpuHotplug,
    /// A process's life: [`ProcessCreated`](crate::ProcessCreated) and [`ProcessExited`](crate::ProcessExited).
    Process,
    /// [`Interrupt`].
    Interrupt,
    /// A module's life: [`ModuleLoaded`], [`ModuleUnloaded`](crate::ModuleUnloaded),
    /// [`ModuleReloaded`](crate::ModuleReloaded) and [`ModuleCrashed`](crate::ModuleCrashed).
    Module,
    /// [`HealthCheck`].
    HealthCheck,
    /// The topic or the event of that name, whoever's type it is.
    Custom(Cow<'static, str>),
    /// One event type; see [`EventTopic::of`].
    Of(TypeTopic),
    /// Everything.
    All,
}

/// One event type as a topic.
#[derive(Debug, Clone, Copy)]
pub struct TypeTopic(Hears<'static>);

impl TypeTopic {
    fn names(&self) -> (&str, Option<TypeId>) {
        match self.0 {
            Hears::Type { name, type_id, .. } => (name, Some(type_id)),
            Hears::Named(name) => (name, None),
            Hears::All => ("", None),
        }
    }
}

impl PartialEq for TypeTopic {
    fn eq(&self, other: &Self) -> bool {
        self.names() == other.names()
    }
}

impl Eq for TypeTopic {}

impl EventTopic {
    /// The topic of one event type.
    pub fn of<E: EventType>() -> Self {
        Self::Of(TypeTopic(E::HEARS))
    }

    /// The topic of an event type of another copy of this crate.
    #[cfg(feature = "std")]
    pub(crate) fn from_abroad(topic: &'static str, name: &'static str, shape: Shape) -> Self {
        Self::Of(TypeTopic(Hears::from_abroad(topic, name, shape)))
    }

    pub(crate) fn hears(&self) -> Hears<'_> {
        match self {
            Self::Tick => Tick::HEARS,
            Self::Shutdown => Shutdown::HEARS,
            Self::MemoryPressure => MemoryPressure::HEARS,
            Self::CpuHotplug => CpuHotplug::HEARS,
            Self::Process => Process::HEARS,
            Self::Interrupt => Interrupt::HEARS,
            Self::Module => Hears::Named(ModuleLoaded::TOPIC),
            Self::HealthCheck => HealthCheck::HEARS,
            Self::Custom(name) => Hears::Named(name),
            Self::Of(TypeTopic(hears)) => *hears,
            Self::All => Hears::All,
        }
    }
}

impl fmt::Display for EventTopic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self.hears() {
            Hears::Type { name, .. } | Hears::Named(name) => name,
            Hears::All => "all",
        })
    }
}

/// A closure that listens.
pub type EventHandler = Box<dyn Fn(&Event) -> EventResponse + Send + Sync>;

/// A closure and what it listens to.
///
/// It is called on the publisher's thread, and by several threads at once if they publish at once. It may publish,
/// subscribe, unsubscribe and call.
///
/// ```
/// use helix_runtime::{Event, EventResponse, EventSubscription, EventTopic, Runtime, SubscriptionPriority, Tick};
///
/// let runtime = Runtime::builder().build()?;
/// let subscription = EventSubscription::new(
///     "my_module",
///     vec![EventTopic::Tick],
///     Box::new(|event| match event {
///         Event::Tick(_) => EventResponse::Handled,
///         _ => EventResponse::Ignored,
///     }),
/// )
/// .with_priority(SubscriptionPriority::HIGHEST);
/// let id = runtime.subscribe(subscription)?;
/// assert_eq!(runtime.publish(&Tick { timestamp_ns: 0, tick_number: 1 }).handled, 1);
/// runtime.unsubscribe(id)?;
/// assert_eq!(runtime.publish(&Tick { timestamp_ns: 0, tick_number: 2 }).handled, 0);
/// # Ok::<(), Box<dyn core::error::Error>>(())
/// ```
pub struct EventSubscription {
    pub(crate) name: &'static str,
    pub(crate) topics: Vec<EventTopic>,
    pub(crate) handler: EventHandler,
    pub(crate) priority: SubscriptionPriority,
}

impl EventSubscription {
    /// A closure under a name, which errors and statistics show. An event of which several topics match comes once.
    pub fn new(name: &'static str, topics: Vec<EventTopic>, handler: EventHandler) -> Self {
        Self { name, topics, handler, priority: SubscriptionPriority::NORMAL }
    }

    /// Sets its place among those who hear the same.
    pub fn with_priority(mut self, priority: SubscriptionPriority) -> Self {
        self.priority = priority;
        self
    }
}

impl fmt::Debug for EventSubscription {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EventSubscription")
            .field("name", &self.name)
            .field("topics", &self.topics)
            .field("priority", &self.priority)
            .finish_non_exhaustive()
    }
}

/// Identifies a subscription for as long as its runtime lives.
#[cfg_attr(feature = "std", derive(serde::Serialize, serde::Deserialize))]
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SubscriptionId(pub(crate) u32);

impl fmt::Display for SubscriptionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "subscription #{}", self.0)
    }
}

/// A runtime's events: who listens, and what was published.
///
/// ```
/// use helix_runtime::{EventResponse, EventSubscription, EventTopic, Runtime, Shutdown};
///
/// let runtime = Runtime::builder().build()?;
/// let bus = runtime.bus();
/// let handler = Box::new(|_: &_| EventResponse::Handled);
/// let id = bus.subscribe(EventSubscription::new("last-words", vec![EventTopic::All], handler))?;
/// assert_eq!(bus.publish(&Shutdown).handled, 1);
/// bus.pause(id)?;
/// assert_eq!(bus.publish(&Shutdown).handled, 0);
/// bus.resume(id)?;
/// assert_eq!(bus.publish(&Shutdown).handled, 1);
/// # Ok::<(), Box<dyn core::error::Error>>(())
/// ```
#[derive(Debug, Clone, Copy)]
pub struct EventBus<'a> {
    runtime: &'a Runtime,
}

impl<'a> EventBus<'a> {
    pub(crate) fn new(runtime: &'a Runtime) -> Self {
        Self { runtime }
    }

    /// Adds a listener; see [`Runtime::subscribe`].
    pub fn subscribe(&self, subscription: EventSubscription) -> IpcResult<SubscriptionId> {
        self.runtime.subscribe(subscription)
    }

    /// Takes a listener away; see [`Runtime::unsubscribe`].
    pub fn unsubscribe(&self, subscription: SubscriptionId) -> IpcResult<()> {
        self.runtime.unsubscribe(subscription)
    }

    /// Calls everyone who listens; see [`Runtime::publish`].
    pub fn publish(&self, event: &impl Publish) -> PublishResult {
        self.runtime.publish(event)
    }

    /// Keeps events from one listener until it is resumed. What is published meanwhile is not kept for it.
    ///
    /// # Errors
    /// [`IpcError::NotSubscribed`](crate::IpcError::NotSubscribed).
    pub fn pause(&self, subscription: SubscriptionId) -> IpcResult<()> {
        self.runtime.set_paused(subscription, true)
    }

    /// Lets a paused listener hear again. To resume one that is not paused changes nothing.
    ///
    /// # Errors
    /// [`IpcError::NotSubscribed`](crate::IpcError::NotSubscribed).
    pub fn resume(&self, subscription: SubscriptionId) -> IpcResult<()> {
        self.runtime.set_paused(subscription, false)
    }

    /// Lets nobody hear what is published, modules included, until [`EventBus::resume_all`]. Each publication says so
    /// in [`PublishResult::paused`]. The runtime's own events about modules are heard all the same.
    pub fn pause_all(&self) {
        self.runtime.set_bus_paused(true);
    }

    /// Lets everybody hear again.
    pub fn resume_all(&self) {
        self.runtime.set_bus_paused(false);
    }

    /// What was published, and, where [`Builder::statistics`](crate::Builder::statistics) was called, who heard it.
    pub fn stats(&self) -> BusStats {
        self.runtime.bus_stats()
    }
}

/// What went over a bus.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct BusStats {
    /// How often something was published under each topic or event name that somebody listens to.
    pub published: Vec<(String, usize)>,
    /// How often something was published that nobody names; those who hear everything heard it.
    pub unnamed: usize,
    /// Each listener's counts, in the order of registration; empty unless statistics are switched on. Times are measured
    /// where the runtime [has a clock](crate::Builder::clock).
    pub listeners: Vec<ListenerStats>,
}

/// What one listener did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListenerStats {
    /// The module's, or the closure's name.
    pub name: &'static str,
    /// What it listens to.
    pub topic: String,
    /// How often it was called.
    pub calls: usize,
    /// How often it failed.
    pub failures: usize,
    /// How much time it took, all calls together, on the runtime's clock.
    pub time: core::time::Duration,
}
