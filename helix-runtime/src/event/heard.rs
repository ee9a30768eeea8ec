//! What a handler listens to, and how it sees an event.

use core::any::TypeId;

use super::{Custom, Delivery, Event, EventType, ProcessCreated};
#[cfg(feature = "std")]
use {
    super::Builtin,
    crate::boundary::{Crossing, EventCodec, received, received_as},
    crate::context::Context,
    crate::descriptor::Status,
    crate::schema::Shape,
};

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
