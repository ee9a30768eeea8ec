//! A user's event behind one type: a value of theirs, or bytes under a name.

use alloc::borrow::Cow;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::any::{Any, TypeId};
use core::fmt;

use super::EventType;
#[cfg(feature = "std")]
use {
    super::Abroad,
    crate::boundary::{self, EventCodec},
    crate::schema::Shape,
    alloc::boxed::Box,
    alloc::string::ToString,
    core::cell::OnceCell,
};

/// A named event: a user's own type, seen without it, or bytes.
///
/// ```
/// use helix_runtime::Custom;
/// let packet = Custom::new("net.packet", vec![1, 2, 3]);
/// assert_eq!((packet.name(), packet.data()), ("net.packet", Some(&[1, 2, 3][..])));
/// ```
pub struct Custom {
    topic: Cow<'static, str>,
    name: Cow<'static, str>,
    payload: Payload,
}

enum Payload {
    Bytes(Vec<u8>),
    Owned(Owned),
    /// A value of a type that is not known here, as it has crossed.
    #[cfg(feature = "std")]
    Encoded(Arc<Encoded>),
    /// A value that the publisher lends for as long as the delivery lasts.
    Lent {
        value: *const (),
        type_id: TypeId,
        own: unsafe fn(*const ()) -> Owned,
        #[cfg(feature = "std")]
        codec: &'static EventCodec,
    },
}

/// A user's event.
#[derive(Clone)]
struct Owned {
    value: Arc<dyn Any + Send + Sync>,
    #[cfg(feature = "std")]
    codec: &'static EventCodec,
    /// The bytes that it came in, if it did.
    #[cfg(feature = "std")]
    bytes: Option<Arc<[u8]>>,
}

impl Owned {
    fn new<E: EventType>(event: E) -> Self {
        Self {
            value: Arc::new(event),
            #[cfg(feature = "std")]
            codec: EventCodec::of::<E>(),
            #[cfg(feature = "std")]
            bytes: None,
        }
    }
}

/// A value in bytes, and as the type that it was first asked for as.
#[cfg(feature = "std")]
struct Encoded {
    shape: Shape,
    bytes: Box<[u8]>,
    value: std::sync::OnceLock<Option<Arc<dyn Any + Send + Sync>>>,
}

// SAFETY: a lent value is an `EventType`, which is `Send + Sync`; the other payloads are both by themselves.
unsafe impl Send for Custom {}
// SAFETY: as above.
unsafe impl Sync for Custom {}

impl Custom {
    /// An event of bytes. Its topic is its name.
    pub fn new(name: impl Into<Cow<'static, str>>, data: impl Into<Vec<u8>>) -> Self {
        let name = name.into();
        Self { topic: name.clone(), name, payload: Payload::Bytes(data.into()) }
    }

    /// A user's event.
    pub fn from_event<E: EventType>(event: E) -> Self {
        Self { topic: E::TOPIC.into(), name: E::NAME.into(), payload: Payload::Owned(Owned::new(event)) }
    }

    /// The event's name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The event's topic.
    pub fn topic(&self) -> &str {
        &self.topic
    }

    /// The bytes, if it was published as bytes.
    pub fn data(&self) -> Option<&[u8]> {
        match &self.payload {
            Payload::Bytes(data) => Some(data),
            _ => None,
        }
    }

    /// The event itself, if it was published as an `E`.
    pub fn get<E: EventType>(&self) -> Option<&E> {
        match &self.payload {
            Payload::Bytes(_) => None,
            Payload::Owned(owned) => owned.value.downcast_ref(),
            #[cfg(feature = "std")]
            Payload::Encoded(encoded) if encoded.shape != E::SHAPE => None,
            #[cfg(feature = "std")]
            Payload::Encoded(encoded) => {
                let value = encoded.value.get_or_init(|| EventCodec::of::<E>().to_value(&encoded.bytes));
                value.as_ref()?.downcast_ref()
            }
            Payload::Lent { value, type_id, .. } => {
                // SAFETY: the type is the one that was lent, and the lender outlives every `&self` (see `borrowed`).
                (*type_id == TypeId::of::<E>()).then(|| unsafe { &*value.cast::<E>() })
            }
        }
    }

    /// Where the value is, and its type; for bytes, this `Custom` itself.
    pub(super) fn value(&self) -> (*const (), TypeId) {
        match &self.payload {
            Payload::Bytes(_) => (core::ptr::from_ref(self).cast(), TypeId::of::<Self>()),
            Payload::Owned(owned) => (Arc::as_ptr(&owned.value).cast(), (*owned.value).type_id()),
            #[cfg(feature = "std")]
            Payload::Encoded(_) => (core::ptr::from_ref(self).cast(), TypeId::of::<Abroad>()),
            Payload::Lent { value, type_id, .. } => (*value, *type_id),
        }
    }

    /// A view of an event that someone else owns.
    ///
    /// # Safety
    /// The result must not outlive `event`, and must be handed out by shared reference only: a clone owns its value.
    pub(super) unsafe fn borrowed<E: EventType>(event: &E) -> Self {
        unsafe fn own<E: EventType>(value: *const ()) -> Owned {
            // SAFETY: paired with a pointer to an `E` below.
            Owned::new(unsafe { &*value.cast::<E>() }.clone())
        }
        Self {
            topic: E::TOPIC.into(),
            name: E::NAME.into(),
            payload: Payload::Lent {
                value: core::ptr::from_ref(event).cast(),
                type_id: TypeId::of::<E>(),
                own: own::<E>,
                #[cfg(feature = "std")]
                codec: EventCodec::of::<E>(),
            },
        }
    }
}

/// What has come from another copy of this crate, and what goes there.
#[cfg(feature = "std")]
impl Custom {
    fn from_abroad(topic: &str, name: &str, payload: Payload) -> Self {
        Self { topic: topic.to_string().into(), name: name.to_string().into(), payload }
    }

    pub(crate) fn of_bytes(topic: &str, name: &str, bytes: &[u8]) -> Self {
        Self::from_abroad(topic, name, Payload::Bytes(bytes.into()))
    }

    /// A value of the codec's type, and the bytes that it came in.
    pub(crate) fn of_value(
        topic: &str,
        name: &str,
        value: Arc<dyn Any + Send + Sync>,
        codec: &'static EventCodec,
        bytes: &[u8],
    ) -> Self {
        Self::from_abroad(topic, name, Payload::Owned(Owned { value, codec, bytes: Some(bytes.into()) }))
    }

    pub(crate) fn encoded(topic: &str, name: &str, shape: Shape, bytes: &[u8]) -> Self {
        let encoded = Encoded { shape, bytes: bytes.into(), value: std::sync::OnceLock::new() };
        Self::from_abroad(topic, name, Payload::Encoded(Arc::new(encoded)))
    }

    /// What it carries, as it crosses; `bytes` keeps what it is encoded into.
    pub(super) fn payload<'a>(&'a self, bytes: &'a OnceCell<Option<Vec<u8>>>) -> boundary::Payload<'a> {
        match &self.payload {
            Payload::Bytes(data) => boundary::Payload::Bytes(data),
            Payload::Encoded(encoded) => boundary::Payload::Encoded { shape: encoded.shape, bytes: &encoded.bytes },
            Payload::Owned(Owned { codec, bytes: Some(bytes), .. }) => {
                boundary::Payload::Encoded { shape: codec.shape, bytes }
            }
            // SAFETY: the codec stands beside a value of its type.
            Payload::Owned(owned) => unsafe { owned.codec.payload(Arc::as_ptr(&owned.value).cast(), bytes) },
            // SAFETY: as above; its lender outlives every `&self`.
            Payload::Lent { value, codec, .. } => unsafe { codec.payload(*value, bytes) },
        }
    }
}

impl Clone for Custom {
    fn clone(&self) -> Self {
        let payload = match &self.payload {
            Payload::Bytes(data) => Payload::Bytes(data.clone()),
            Payload::Owned(owned) => Payload::Owned(owned.clone()),
            #[cfg(feature = "std")]
            Payload::Encoded(encoded) => Payload::Encoded(encoded.clone()),
            // SAFETY: `own` and `value` were paired by `borrowed`, whose lender is still there.
            Payload::Lent { value, own, .. } => Payload::Owned(unsafe { own(*value) }),
        };
        Self { topic: self.topic.clone(), name: self.name.clone(), payload }
    }
}

impl fmt::Debug for Custom {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut debug = f.debug_struct("Custom");
        debug.field("name", &self.name);
        if let Some(data) = self.data() {
            debug.field("data", &data);
        }
        debug.finish_non_exhaustive()
    }
}

impl From<Custom> for super::Event {
    fn from(custom: Custom) -> Self {
        Self::Custom(custom)
    }
}
