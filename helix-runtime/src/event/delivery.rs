//! One event on its way: what a publisher lends to the handlers.

use core::any::TypeId;
use core::cell::OnceCell;
use core::marker::PhantomData;
use core::mem::ManuallyDrop;

use super::{Custom, Event, EventType};
#[cfg(feature = "std")]
use {
    super::{Abroad, Builtin},
    crate::boundary::{Crossing, EventCodec, Payload},
    crate::schema::Shape,
    alloc::vec::Vec,
};

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

/// A value in bytes, lent for a delivery.
#[cfg(feature = "std")]
#[derive(Clone, Copy)]
struct Lent<'a> {
    topic: &'a str,
    name: &'a str,
    shape: Shape,
    bytes: &'a [u8],
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
    pub(super) unsafe fn value<E>(&self) -> &E {
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
        if self.kind.type_id == TypeId::of::<Abroad>() && self.whole.is_none() {
            // SAFETY: `lend_encoded` alone makes such a delivery, of that.
            let Lent { shape, bytes, .. } = *unsafe { &*self.value.cast::<Lent<'_>>() };
            return Crossing {
                topic: self.kind.topic,
                name: self.kind.name,
                payload: Payload::Encoded { shape, bytes },
            };
        }
        let payload = match (self.kind.codec, self.whole) {
            (_, Some(Event::Custom(custom))) => custom.payload(&self.made.get_or_init(Made::default).bytes),
            // SAFETY: the codec stands beside the type of the value in its kind.
            (Some(codec), _) => unsafe { codec.payload(self.value, &self.made.get_or_init(Made::default).bytes) },
            (None, _) => Payload::Builtin(self.value),
        };
        Crossing { topic: self.kind.topic, name: self.kind.name, payload }
    }

    /// The value of a user's type in postcard, where it is lent as it is: into `bytes`. Nothing where it is not, or refuses.
    #[cfg(feature = "std")]
    pub(crate) fn encode_value(&self, bytes: &mut Vec<u8>) -> Option<Shape> {
        let codec = self.kind.codec.filter(|_| self.whole.is_none())?;
        // SAFETY: the codec stands beside the type of the value in its kind.
        let done = crate::erase::guard(|| unsafe { (codec.encode)(self.value, bytes) });
        (done == Ok(true)).then_some(codec.shape)
    }

    /// The event in postcard, and its schema; nothing when it was published as bytes, or cannot be encoded.
    #[cfg(feature = "std")]
    pub(super) fn encoded(&self) -> Option<(Shape, Vec<u8>)> {
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

    /// A value of a type that is not known here, as it has crossed: for handlers of another copy of this crate.
    #[cfg(feature = "std")]
    pub(crate) fn lend_encoded<T>(
        topic: &'a str,
        name: &'a str,
        shape: Shape,
        bytes: &'a [u8],
        to: impl FnOnce(&Delivery<'_>) -> T,
    ) -> T {
        unsafe fn make(value: *const ()) -> Event {
            // SAFETY: paired with a pointer to one below.
            let Lent { topic, name, shape, bytes } = *unsafe { &*value.cast::<Lent<'_>>() };
            Event::Custom(Custom::encoded(topic, name, shape, bytes))
        }
        let lent = Lent { topic, name, shape, bytes };
        let kind = Kind { topic, name, type_id: TypeId::of::<Abroad>(), make, codec: None };
        to(&Delivery {
            kind: &kind,
            value: core::ptr::from_ref(&lent).cast(),
            made: ManuallyDrop::new(OnceCell::new()),
            whole: None,
            publisher: PhantomData,
        })
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
    pub(super) fn lend_custom<T>(whole: &'a Event, custom: &'a Custom, to: impl FnOnce(&Delivery<'_>) -> T) -> T {
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
    pub(super) const fn of<E: EventType>() -> Self {
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
