//! What is published: the kinds of events, the one `Event` that holds any of them, and how a handler sees it.

mod builtin;
mod custom;

pub(crate) use builtin::in_event;
pub use builtin::*;
#[cfg(feature = "std")]
pub(crate) use builtin::{BUILTINS, Builtin};
pub use custom::Custom;

#[cfg(feature = "std")]
use alloc::vec::Vec;
use core::any::TypeId;
use core::cell::OnceCell;
use core::marker::PhantomData;
use core::mem::ManuallyDrop;

#[cfg(feature = "std")]
use crate::boundary::{Crossing, EventCodec, Payload, received, received_as};
#[cfg(feature = "std")]
use crate::context::Context;
#[cfg(feature = "std")]
use crate::descriptor::Status;
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

/// What a handler listens to.
#[derive(Debug, Clone, Copy)]
pub enum Hears<'a> {
    /// One event type.
    Type {
        /// Its topic.
        topic: &'static str,
        /// Its name.
        name: &'static str,
        /// The Rust type behind the name.
        type_id: TypeId,
        /// How its values cross; nothing for a built-in one, and for a type of another copy of this crate.
        #[cfg(feature = "std")]
        codec: Option<&'static EventCodec>,
        /// Its schema.
        #[cfg(feature = "std")]
        shape: Shape,
    },
    /// Every event of that topic or name.
    Named(&'a str),
    /// Everything.
    All,
}

/// What `#[on_event(..)]` names: an event type, a group of them, or [`Event`] for all.
#[doc(hidden)]
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not an event",
    label = "not an event",
    note = "an event carries `#[helix_message]` and `#[derive(Clone, EventType)]`; `#[on_event(Event)]` hears everything"
)]
pub trait Heard {
    const HEARS: Hears<'static>;
}

impl<E: EventType> Heard for E {
    const HEARS: Hears<'static> = Hears::Type {
        topic: E::TOPIC,
        name: E::NAME,
        type_id: TypeId::of::<E>(),
        #[cfg(feature = "std")]
        codec: if E::BUILTIN.is_some() { None } else { Some(EventCodec::of::<E>()) },
        #[cfg(feature = "std")]
        shape: E::SHAPE,
    };
}

/// Stands for all types of other copies of this crate, whose ids say nothing here: they are told apart by their names.
#[cfg(feature = "std")]
pub(crate) struct Abroad;

#[cfg(feature = "std")]
impl Hears<'_> {
    /// An event type of another copy of this crate: a built-in one is the same here, a user's is known by its name.
    pub(crate) fn from_abroad(topic: &'static str, name: &'static str, shape: Shape) -> Self {
        let builtin = Builtin::of(name).filter(|builtin| builtin.topic == topic);
        let type_id = builtin.map_or(TypeId::of::<Abroad>(), |builtin| builtin.kind.type_id);
        Self::Type { topic, name, type_id, codec: None, shape }
    }
}

impl Heard for Event {
    const HEARS: Hears<'static> = Hears::All;
}

/// The topic of a process's life: created and exited. A handler of it takes `&Event`.
#[derive(Debug, Clone, Copy)]
pub struct Process;

impl Heard for Process {
    const HEARS: Hears<'static> = Hears::Named(ProcessCreated::TOPIC);
}

/// How a handler of `Self` takes its event.
#[doc(hidden)]
#[diagnostic::on_unimplemented(
    message = "a handler of `{Self}` cannot take `&{P}`",
    label = "takes `&{P}`",
    note = "it takes the event itself by reference, `&Event`, or nothing; a handler of a group such as `Process` takes `&Event`, one by name `&Custom` or `&Event`"
)]
pub trait HeardAs<P> {
    /// The handler's parameter.
    ///
    /// # Safety
    /// The delivery is one that this listens to.
    unsafe fn view<'a>(delivery: &'a Delivery<'_>) -> Option<&'a P>;

    /// Whether the parameter is made anew of a delivery that has come from another copy of this crate.
    const IS_RECEIVED: bool;

    /// The handler's parameter, of such a delivery.
    #[cfg(feature = "std")]
    fn receive(crossing: &Crossing<'_>, cx: &Context) -> Result<Option<P>, Status>;
}

/// What is received where the parameter is seen as it is.
#[cfg(feature = "std")]
macro_rules! as_it_is {
    ($p:ty) => {
        fn receive(_: &Crossing<'_>, _: &Context) -> Result<Option<$p>, Status> {
            Ok(None)
        }
    };
}

/// What is received by a handler that takes any event.
#[cfg(feature = "std")]
macro_rules! any_event {
    () => {
        fn receive(crossing: &Crossing<'_>, cx: &Context) -> Result<Option<Event>, Status> {
            received(crossing, cx).map(Some)
        }
    };
}

// The dispatch has compared the type behind the name before it calls: `Delivery::value`.
impl<E: EventType> HeardAs<E> for E {
    #[inline]
    unsafe fn view<'a>(delivery: &'a Delivery<'_>) -> Option<&'a E> {
        // SAFETY: a typed handler is only entered for deliveries of its own type (see `Topics`).
        Some(unsafe { delivery.value() })
    }

    const IS_RECEIVED: bool = E::BUILTIN.is_none();

    #[cfg(feature = "std")]
    fn receive(crossing: &Crossing<'_>, cx: &Context) -> Result<Option<E>, Status> {
        received_as(crossing, cx)
    }
}

impl<E: EventType> HeardAs<Event> for E {
    unsafe fn view<'a>(delivery: &'a Delivery<'_>) -> Option<&'a Event> {
        Some(delivery.event())
    }

    const IS_RECEIVED: bool = true;

    #[cfg(feature = "std")]
    any_event!();
}

/// A handler that does not take the event.
impl<E: Heard> HeardAs<()> for E {
    #[inline]
    unsafe fn view<'a>(_: &'a Delivery<'_>) -> Option<&'a ()> {
        Some(&())
    }

    const IS_RECEIVED: bool = false;

    #[cfg(feature = "std")]
    as_it_is!(());
}

#[diagnostic::do_not_recommend]
impl HeardAs<()> for ByName {
    unsafe fn view<'a>(_: &'a Delivery<'_>) -> Option<&'a ()> {
        Some(&())
    }

    const IS_RECEIVED: bool = false;

    #[cfg(feature = "std")]
    as_it_is!(());
}

#[diagnostic::do_not_recommend]
impl HeardAs<Event> for Event {
    unsafe fn view<'a>(delivery: &'a Delivery<'_>) -> Option<&'a Event> {
        Some(delivery.event())
    }

    const IS_RECEIVED: bool = true;

    #[cfg(feature = "std")]
    any_event!();
}

#[diagnostic::do_not_recommend]
impl HeardAs<Event> for Process {
    unsafe fn view<'a>(delivery: &'a Delivery<'_>) -> Option<&'a Event> {
        Some(delivery.event())
    }

    const IS_RECEIVED: bool = true;

    #[cfg(feature = "std")]
    any_event!();
}

/// A handler of a topic by its name.
#[doc(hidden)]
#[derive(Debug)]
pub struct ByName;

#[diagnostic::do_not_recommend]
impl HeardAs<Event> for ByName {
    unsafe fn view<'a>(delivery: &'a Delivery<'_>) -> Option<&'a Event> {
        Some(delivery.event())
    }

    const IS_RECEIVED: bool = true;

    #[cfg(feature = "std")]
    any_event!();
}

#[diagnostic::do_not_recommend]
impl HeardAs<Custom> for ByName {
    unsafe fn view<'a>(delivery: &'a Delivery<'_>) -> Option<&'a Custom> {
        match delivery.event() {
            Event::Custom(custom) => Some(custom),
            _ => None,
        }
    }

    const IS_RECEIVED: bool = true;

    #[cfg(feature = "std")]
    fn receive(crossing: &Crossing<'_>, cx: &Context) -> Result<Option<Custom>, Status> {
        match received(crossing, cx)? {
            Event::Custom(custom) => Ok(Some(custom)),
            _ => Ok(None),
        }
    }
}

/// One event on its way through its handlers, borrowed from the publisher.
#[doc(hidden)]
pub struct Delivery<'a> {
    pub(crate) kind: &'a Kind<'a>,
    value: *const (),
    /// Dropped by hand: nearly always there is none, and its drop is not worth a call.
    made: ManuallyDrop<OnceCell<Made>>,
    whole: Option<&'a Event>,
    publisher: PhantomData<&'a ()>,
}

/// What a delivery is made into when the first handler asks for it.
#[derive(Default)]
struct Made {
    event: OnceCell<Event>,
    /// The value encoded, if it can be.
    #[cfg(feature = "std")]
    bytes: OnceCell<Option<Vec<u8>>>,
}

/// What is delivered.
#[doc(hidden)]
pub struct Kind<'a> {
    pub(crate) topic: &'a str,
    pub(crate) name: &'a str,
    pub(crate) type_id: TypeId,
    make: unsafe fn(*const ()) -> Event,
    /// How a user's event crosses; nothing for a built-in one, and for what says so itself.
    #[cfg(feature = "std")]
    codec: Option<&'static EventCodec>,
}

impl<'a> Delivery<'a> {
    /// # Safety
    /// The delivery was made of an `E`.
    #[inline]
    unsafe fn value<E>(&self) -> &E {
        // SAFETY: by contract `value` points to an `E`, which the publisher lends for the whole delivery.
        unsafe { &*self.value.cast::<E>() }
    }

    /// The event as the enum, made when the first handler asks for it.
    pub(crate) fn event(&self) -> &Event {
        match self.whole {
            Some(event) => event,
            // SAFETY: `value` and `make` come from the same constructor; the `Event` lives no longer than the delivery.
            None => self.made.get_or_init(Made::default).event.get_or_init(|| unsafe { (self.kind.make)(self.value) }),
        }
    }

    /// The event as it crosses.
    #[cfg(feature = "std")]
    pub(crate) fn crossing(&self) -> Crossing<'_> {
        let payload = match (self.kind.codec, self.whole) {
            (_, Some(Event::Custom(custom))) => custom.payload(&self.made.get_or_init(Made::default).bytes),
            // SAFETY: the codec stands beside the type of the value in its kind.
            (Some(codec), _) => unsafe { codec.payload(self.value, &self.made.get_or_init(Made::default).bytes) },
            (None, _) => Payload::Builtin(self.value),
        };
        Crossing { topic: self.kind.topic, name: self.kind.name, payload }
    }

    /// The event in postcard, and its schema; nothing when it was published as bytes, or cannot be encoded.
    #[cfg(feature = "std")]
    fn encoded(&self) -> Option<(Shape, Vec<u8>)> {
        match self.crossing().payload {
            Payload::Encoded { shape, bytes } => Some((shape, bytes.into())),
            Payload::Builtin(value) => {
                let codec = Builtin::of(self.kind.name)?.codec;
                // SAFETY: the value is of the built-in event of that name.
                match unsafe { codec.payload(value, &self.made.get_or_init(Made::default).bytes) } {
                    Payload::Encoded { shape, bytes } => Some((shape, bytes.into())),
                    _ => None,
                }
            }
            Payload::Bytes(_) | Payload::Refused => None,
        }
    }

    /// A value of a built-in event that someone else lends.
    ///
    /// # Safety
    /// The value is of that kind, and outlives the delivery.
    #[cfg(feature = "std")]
    pub(crate) unsafe fn lent(kind: &'a Kind<'a>, value: *const ()) -> Self {
        Self { kind, value, made: ManuallyDrop::new(OnceCell::new()), whole: None, publisher: PhantomData }
    }

    #[inline]
    fn of<E: EventType>(event: &'a E) -> Self {
        Self {
            kind: const { &Kind::of::<E>() },
            value: core::ptr::from_ref(event).cast(),
            made: ManuallyDrop::new(OnceCell::new()),
            whole: None,
            publisher: PhantomData,
        }
    }

    /// Delivers what `whole` holds, which is `custom`.
    fn lend_custom<T>(whole: &'a Event, custom: &'a Custom, to: impl FnOnce(&Delivery<'_>) -> T) -> T {
        unsafe fn unreachable(_: *const ()) -> Event {
            unreachable!("`event` returns `whole`")
        }
        let (value, type_id) = custom.value();
        let kind = Kind {
            topic: custom.topic(),
            name: custom.name(),
            type_id,
            make: unreachable,
            #[cfg(feature = "std")]
            codec: None,
        };
        to(&Delivery {
            kind: &kind,
            value,
            made: ManuallyDrop::new(OnceCell::new()),
            whole: Some(whole),
            publisher: PhantomData,
        })
    }
}

impl Drop for Delivery<'_> {
    #[inline]
    fn drop(&mut self) {
        #[cold]
        fn drop_made(made: &mut ManuallyDrop<OnceCell<Made>>) {
            // SAFETY: the delivery goes, and nobody else drops it.
            unsafe { ManuallyDrop::drop(made) };
        }
        if self.made.get().is_some() {
            drop_made(&mut self.made);
        }
    }
}

impl Kind<'static> {
    const fn of<E: EventType>() -> Self {
        unsafe fn make<E: EventType>(value: *const ()) -> Event {
            // SAFETY: `Delivery::of` pairs this function with a pointer to an `E`.
            let value = unsafe { &*value.cast::<E>() };
            match E::BUILTIN {
                Some(variant) => variant(value),
                // SAFETY: the result stays inside the delivery, which borrows `value`.
                None => Event::Custom(unsafe { Custom::borrowed(value) }),
            }
        }
        Self {
            topic: E::TOPIC,
            name: E::NAME,
            type_id: TypeId::of::<E>(),
            make: make::<E>,
            #[cfg(feature = "std")]
            codec: if E::BUILTIN.is_some() { None } else { Some(EventCodec::of::<E>()) },
        }
    }

    /// A value of this kind as the enum.
    ///
    /// # Safety
    /// The value is of this kind.
    #[cfg(feature = "std")]
    pub(crate) unsafe fn event(&self, value: *const ()) -> Event {
        // SAFETY: passed on.
        unsafe { (self.make)(value) }
    }
}

/// What can be published: an [`EventType`], or an [`Event`] that holds one.
pub trait Publish {
    /// Hands the delivery on.
    #[doc(hidden)]
    fn deliver<T>(&self, to: impl FnOnce(&Delivery<'_>) -> T) -> T;
}

impl<E: EventType> Publish for E {
    #[inline]
    fn deliver<T>(&self, to: impl FnOnce(&Delivery<'_>) -> T) -> T {
        to(&Delivery::of(self))
    }
}
