//! An event as it crosses: a built-in one as it is, a user's encoded, bytes as bytes.

use alloc::sync::Arc;
use alloc::vec::Vec;
use core::any::Any;
use core::cell::OnceCell;

use super::fault;
use crate::context::Context;
use crate::descriptor::Status;
use crate::erase::guard;
use crate::error::{IpcError, ModuleError};
use crate::event::{Builtin, Custom, Delivery, Event, EventType, PublishResult};
use crate::host::{Host, Native};
use crate::message::{Sink, decode, encode};
use crate::schema::Shape;

/// An event, borrowed from its publisher.
#[doc(hidden)]
pub struct Crossing<'a> {
    pub(crate) topic: &'a str,
    pub(crate) name: &'a str,
    pub(crate) payload: Payload<'a>,
}

/// What an event carries.
pub(crate) enum Payload<'a> {
    /// A value of the built-in event of that name: its layout is part of the ABI.
    Builtin(*const ()),
    /// What it was published as.
    Bytes(&'a [u8]),
    /// A value of a user's type.
    Encoded { shape: Shape, bytes: &'a [u8] },
    /// A user's `Serialize` has refused or panicked.
    Refused,
}

/// How the values of a user's event become bytes, and bytes become values.
#[doc(hidden)]
#[derive(Debug)]
pub struct EventCodec {
    pub(crate) shape: Shape,
    /// # Safety
    /// The value is of the codec's type.
    pub(crate) encode: unsafe fn(*const (), &mut dyn Sink) -> bool,
    pub(crate) decode: fn(&[u8]) -> Option<Arc<dyn Any + Send + Sync>>,
}

impl EventCodec {
    pub(crate) const fn of<E: EventType>() -> &'static Self {
        unsafe fn encode_event<E: EventType>(value: *const (), sink: &mut dyn Sink) -> bool {
            // SAFETY: the caller's promise.
            encode(unsafe { &*value.cast::<E>() }, sink).is_ok()
        }
        fn decode_event<E: EventType>(bytes: &[u8]) -> Option<Arc<dyn Any + Send + Sync>> {
            let value: E = decode(bytes)?;
            Some(Arc::new(value))
        }
        const { &Self { shape: E::SHAPE, encode: encode_event::<E>, decode: decode_event::<E> } }
    }

    /// The value as it crosses; `bytes` keeps what it is encoded into.
    ///
    /// # Safety
    /// The value is of the codec's type.
    pub(crate) unsafe fn payload<'a>(&self, value: *const (), bytes: &'a OnceCell<Option<Vec<u8>>>) -> Payload<'a> {
        let encoded = bytes.get_or_init(|| {
            let mut bytes = Vec::new();
            // SAFETY: passed on.
            let done = guard(|| unsafe { (self.encode)(value, &mut bytes) });
            (done == Ok(true)).then_some(bytes)
        });
        match encoded {
            Some(bytes) => Payload::Encoded { shape: self.shape, bytes },
            None => Payload::Refused,
        }
    }

    /// The value of these bytes; nothing when they are none, or its `Deserialize` panics.
    pub(crate) fn to_value(&self, bytes: &[u8]) -> Option<Arc<dyn Any + Send + Sync>> {
        guard(|| (self.decode)(bytes)).ok().flatten()
    }
}

/// Publishes what has crossed.
///
/// # Safety
/// A built-in payload points to a value of the event of that name.
pub(crate) unsafe fn publish(host: &dyn Host, from: Option<&Context>, event: &Crossing<'_>) -> PublishResult {
    let (topic, name) = (event.topic, event.name);
    let whole = |custom: Custom, result: &mut PublishResult| {
        let event = Event::Custom(custom);
        *result = crate::Publish::deliver(&event, |delivery| host.publish(from, delivery));
    };
    let mut result = PublishResult::default();
    match event.payload {
        Payload::Builtin(value) => match Builtin::of(name) {
            // SAFETY: the caller's promise.
            Some(builtin) => return host.publish(from, &unsafe { Delivery::lent(builtin.kind, value) }),
            None => result.fail("helix", fault::unknown_event(name)),
        },
        Payload::Bytes(bytes) => whole(Custom::of_bytes(topic, name, bytes), &mut result),
        Payload::Encoded { shape, bytes } if let Some(builtin) = Builtin::of(name) => {
            match (builtin.decode)(bytes).filter(|_| shape == builtin.codec.shape) {
                Some(event) => return crate::Publish::deliver(&event, |delivery| host.publish(from, delivery)),
                None => result.fail("helix", malformed(name, builtin.codec.shape)),
            }
        }
        Payload::Encoded { shape, bytes } => match host.native(name) {
            None => whole(Custom::encoded(topic, name, shape, bytes), &mut result),
            Some(Native { codec, .. }) if codec.shape == shape => match codec.to_value(bytes) {
                Some(value) => whole(Custom::of_value(topic, name, value, codec, bytes), &mut result),
                None => result.fail("helix", malformed(name, codec.shape)),
            },
            Some(Native { codec, module, listeners }) => {
                // Others may hear it all the same; those that take another type by that name do not.
                whole(Custom::encoded(topic, name, shape, bytes), &mut result);
                result.fail(module, mismatch(name, shape, codec.shape));
                result.failed += listeners.saturating_sub(1);
            }
        },
        Payload::Refused => result.fail("helix", refused(name)),
    }
    result
}

/// The event that has crossed, as one of this copy's.
///
/// # Safety
/// A built-in payload points to a value of the event of that name.
pub(super) unsafe fn event_of(event: &Crossing<'_>) -> Result<Event, ModuleError> {
    let (topic, name) = (event.topic, event.name);
    match event.payload {
        Payload::Builtin(value) => match Builtin::of(name) {
            // SAFETY: the caller's promise.
            Some(builtin) => Ok(unsafe { builtin.kind.event(value) }),
            None => Err(fault::unknown_event(name)),
        },
        Payload::Bytes(bytes) => Ok(Event::Custom(Custom::of_bytes(topic, name, bytes))),
        Payload::Encoded { shape, bytes } => Ok(Event::Custom(Custom::encoded(topic, name, shape, bytes))),
        Payload::Refused => Err(refused(name)),
    }
}

/// The same for a handler that takes any event.
pub(crate) fn received(event: &Crossing<'_>, cx: &Context) -> Result<Event, Status> {
    // SAFETY: what a host lends is a delivery of its own, whose kind says truly what it is.
    unsafe { event_of(event) }.map_err(|error| {
        cx.fail(error);
        Status::Failed
    })
}

/// The value that has crossed, for a handler that takes an `E`; nothing when bytes were published under its name.
pub(crate) fn received_as<E: EventType>(event: &Crossing<'_>, cx: &Context) -> Result<Option<E>, Status> {
    let fail = |error| {
        cx.fail(error);
        Err(Status::Failed)
    };
    match event.payload {
        Payload::Encoded { shape, bytes } if shape == E::SHAPE => match crate::erase::decoded(bytes, cx) {
            Ok(value) => Ok(Some(value)),
            Err(Status::Malformed) => fail(malformed(event.name, E::SHAPE)),
            Err(status) => Err(status),
        },
        Payload::Encoded { shape, .. } => fail(mismatch(event.name, shape, E::SHAPE)),
        Payload::Refused => fail(refused(event.name)),
        Payload::Builtin(_) | Payload::Bytes(_) => Ok(None),
    }
}

fn refused(name: &str) -> ModuleError {
    alloc::format!("event `{name}` could not be encoded: its `Serialize` has refused").into()
}

pub(super) fn malformed(name: &str, expected: Shape) -> ModuleError {
    IpcError::Malformed { what: "event", request: name.into(), expected }.into()
}

fn mismatch(name: &str, found: Shape, expected: Shape) -> ModuleError {
    IpcError::SchemaMismatch { what: "event", request: name.into(), found, expected }.into()
}
