//! A user's event behind one type: a value of theirs, or bytes under a name.

use alloc::borrow::Cow;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::any::{Any, TypeId};
use core::fmt;

use super::EventType;

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
    Owned(Arc<dyn Any + Send + Sync>),
    /// A value that the publisher lends for as long as the delivery lasts.
    Lent {
        value: *const (),
        type_id: TypeId,
        own: unsafe fn(*const ()) -> Arc<dyn Any + Send + Sync>,
    },
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
        Self { topic: E::TOPIC.into(), name: E::NAME.into(), payload: Payload::Owned(Arc::new(event)) }
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
            Payload::Owned(value) => value.downcast_ref(),
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
            Payload::Owned(value) => (Arc::as_ptr(value).cast(), (**value).type_id()),
            Payload::Lent { value, type_id, .. } => (*value, *type_id),
        }
    }

    /// A view of an event that someone else owns.
    ///
    /// # Safety
    /// The result must not outlive `event`, and must be handed out by shared reference only: a clone owns its value.
    pub(super) unsafe fn borrowed<E: EventType>(event: &E) -> Self {
        unsafe fn own<E: EventType>(value: *const ()) -> Arc<dyn Any + Send + Sync> {
            // SAFETY: paired with a pointer to an `E` below.
            Arc::new(unsafe { &*value.cast::<E>() }.clone())
        }
        Self {
            topic: E::TOPIC.into(),
            name: E::NAME.into(),
            payload: Payload::Lent {
                value: core::ptr::from_ref(event).cast(),
                type_id: TypeId::of::<E>(),
                own: own::<E>,
            },
        }
    }
}

impl Clone for Custom {
    fn clone(&self) -> Self {
        let payload = match &self.payload {
            Payload::Bytes(data) => Payload::Bytes(data.clone()),
            Payload::Owned(value) => Payload::Owned(value.clone()),
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
