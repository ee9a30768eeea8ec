//! What may travel: messages, the arguments of a request, and what a handler may return.

use alloc::collections::{BTreeMap, BTreeSet};
use alloc::string::String;
use alloc::vec::Vec;

use postcard_schema::Schema;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::error::ModuleError;
use crate::schema::Shape;

/// A value that can cross every placement boundary: an argument, a reply, an event or saved state.
///
/// `#[helix_message]` implements it. It travels as [postcard](https://postcard.jamesmunns.com/wire-format).
///
/// ```
/// use helix_runtime::prelude::*;
/// use helix_runtime::Message;
///
/// #[helix_message]
/// #[derive(Debug, PartialEq)]
/// pub struct Status { pub quantum_ms: u64, pub label: String }
///
/// assert_eq!(Status::SHAPE.to_string(), "Status{quantum_ms:u64,label:str}");
/// ```
///
/// A sequence of values that take no bytes is refused at compile time: ten hostile bytes could claim any length.
///
/// ```compile_fail,E0080
/// use helix_runtime::Message;
/// let _ = <Vec<()>>::SHAPE;
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot travel between modules",
    label = "this is not a message",
    note = "put `#[helix_message]` on the type; of std's types the numbers of a fixed size, `bool`, `char`, `String`, `Vec`, `Option`, `Result`, `BTreeMap`, `BTreeSet`, arrays up to 32 and tuples up to 6 of such types travel",
    note = "`usize` and `isize` differ between targets: use `u64` or `u32`"
)]
pub trait Message: Serialize + DeserializeOwned + Schema + 'static {
    /// The message's schema and its hash.
    const SHAPE: Shape = Shape::new(Self::SCHEMA);
}

/// The schema of a message's field.
#[doc(hidden)]
pub const fn schema_of<T: Message>() -> &'static postcard_schema::schema::NamedType {
    T::SCHEMA
}

impl<const N: usize> Message for heapless::String<N> {}

macro_rules! plain {
    ($($ty:ty),*) => { $(#[diagnostic::do_not_recommend] impl Message for $ty {})* };
}
plain!(bool, u8, u16, u32, u64, u128, i8, i16, i32, i64, i128, f32, f64, char, String, ());

impl<T: Message> Message for Vec<T> {}
impl<T: Message> Message for Option<T> {}
impl<T: Message, E: Message> Message for Result<T, E> {}
impl<K: Message + Ord, V: Message> Message for BTreeMap<K, V> {}
impl<T: Message + Ord> Message for BTreeSet<T> {}

macro_rules! arrays {
    ($($n:literal)*) => { $(impl<T: Message> Message for [T; $n] {})* };
}
arrays!(1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22 23 24 25 26 27 28 29 30 31 32);

macro_rules! tuples {
    ($(($($t:ident),+))*) => { $(impl<$($t: Message),+> Message for ($($t,)+) {})* };
}
tuples!((A)(A, B)(A, B, C)(A, B, C, D)(A, B, C, D, E)(A, B, C, D, E, F));

/// One argument of a request: a [`Message`], `&str` or `&[u8]`.
///
/// It is named in its `'static` form (`&'static str`); [`Of`](Arg::Of) is the form in which it is passed.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be an argument of a request",
    label = "this cannot travel",
    note = "an argument is `&str`, `&[u8]` or a type that carries `#[helix_message]`",
    note = "`usize` and `isize` differ between targets: use `u64` or `u32`"
)]
pub trait Arg: 'static {
    /// The argument as it is passed.
    type Of<'a>: Serialize + Deserialize<'a>;
    /// Its schema.
    type Schema: Schema + ?Sized;
}

impl<T: Message> Arg for T {
    type Of<'a> = T;
    type Schema = T;
}

impl Arg for &'static str {
    type Of<'a> = &'a str;
    type Schema = str;
}

impl Arg for &'static [u8] {
    type Of<'a> = &'a [u8];
    type Schema = Vec<u8>;
}

/// The arguments of a request: a tuple of up to eight [`Arg`]s.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not the arguments of a request",
    label = "expected a tuple of messages, such as `(u64,)` or `()`",
    note = "each argument is `&'static str`, `&'static [u8]` or a type that carries `#[helix_message]`"
)]
pub trait Args: 'static {
    /// The arguments as they are passed.
    type Of<'a>: Serialize + Deserialize<'a>;
    /// The schema of the tuple.
    const SHAPE: Shape;
}

macro_rules! args {
    ($(($($t:ident)*))*) => { $(
        impl<$($t: Arg),*> Args for ($($t,)*) {
            type Of<'a> = ($($t::Of<'a>,)*);
            const SHAPE: Shape = Shape::new(&postcard_schema::schema::NamedType {
                name: "",
                ty: &postcard_schema::schema::DataModelType::Tuple(&[$(<$t::Schema as Schema>::SCHEMA),*]),
            });
        }
    )* };
}
args!(()(A)(A B)(A B C)(A B C D)(A B C D E)(A B C D E F)(A B C D E F G)(A B C D E F G H));

/// What a request handler may return: `T` or `Result<T, E>`.
///
/// `E` is a [`Message`], which travels to the caller as part of the reply, or [`ModuleError`].
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot travel between modules",
    label = "this is not a message",
    note = "return `T` or `Result<T, E>`, where `T` carries `#[helix_message]`, and `E` does too or is `ModuleError`",
    note = "`usize` and `isize` differ between targets: use `u64` or `u32`"
)]
pub trait Return {
    /// What travels.
    type Reply: Message;
    /// Splits off the module's error.
    fn into_reply(self) -> Result<Self::Reply, ModuleError>;
}

impl<T: Message> Return for T {
    type Reply = T;
    fn into_reply(self) -> Result<T, ModuleError> {
        Ok(self)
    }
}

impl<T: Message> Return for Result<T, ModuleError> {
    type Reply = T;
    fn into_reply(self) -> Result<T, ModuleError> {
        self
    }
}

/// Where encoded bytes go: a growing vector, or a buffer of the caller's.
pub trait Sink {
    /// Appends all of `bytes`, or nothing and returns false when they do not fit.
    fn put(&mut self, bytes: &[u8]) -> bool;
}

impl Sink for Vec<u8> {
    fn put(&mut self, bytes: &[u8]) -> bool {
        self.extend_from_slice(bytes);
        true
    }
}

/// A [`Sink`] over a buffer of a fixed size.
#[derive(Debug)]
pub(crate) struct Buffer<'a> {
    bytes: &'a mut [u8],
    len: usize,
}

impl<'a> Buffer<'a> {
    /// An empty buffer over `bytes`.
    pub fn new(bytes: &'a mut [u8]) -> Self {
        Self { bytes, len: 0 }
    }

    /// How many bytes were written.
    pub fn len(&self) -> usize {
        self.len
    }
}

impl Sink for Buffer<'_> {
    fn put(&mut self, bytes: &[u8]) -> bool {
        let end = self.len + bytes.len();
        let Some(room) = self.bytes.get_mut(self.len..end) else {
            return false;
        };
        room.copy_from_slice(bytes);
        self.len = end;
        true
    }
}

/// A [`Sink`] that grows, and allocates only for what is longer than most messages are.
pub(crate) struct Spill {
    short: [u8; Self::SHORT],
    len: usize,
    long: Vec<u8>,
}

impl Spill {
    const SHORT: usize = 64;

    pub(crate) const fn new() -> Self {
        Self { short: [0; Self::SHORT], len: 0, long: Vec::new() }
    }

    pub(crate) fn bytes(&self) -> &[u8] {
        if self.long.is_empty() { &self.short[..self.len] } else { &self.long }
    }
}

impl Sink for Spill {
    fn put(&mut self, bytes: &[u8]) -> bool {
        let end = self.len + bytes.len();
        match self.short.get_mut(self.len..end).filter(|_| self.long.is_empty()) {
            Some(room) => {
                room.copy_from_slice(bytes);
                self.len = end;
            }
            None => {
                if self.long.is_empty() {
                    self.long.extend_from_slice(&self.short[..self.len]);
                }
                self.long.extend_from_slice(bytes);
            }
        }
        true
    }
}

/// Why a value was not encoded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum EncodeError {
    /// The sink is full.
    Full,
    /// The value's own `Serialize` has refused.
    Refused,
}

/// Encodes into a sink.
pub(crate) fn encode<T: Serialize + ?Sized>(value: &T, sink: &mut dyn Sink) -> Result<(), EncodeError> {
    /// Gathers what comes a little at a time, as a sequence of bytes does.
    struct Flavor<'a> {
        sink: &'a mut dyn Sink,
        gathered: [u8; GATHERED],
        len: usize,
    }
    const GATHERED: usize = 64;
    impl Flavor<'_> {
        #[inline]
        fn flush(&mut self) -> postcard::Result<()> {
            let len = core::mem::take(&mut self.len);
            if len == 0 || self.sink.put(&self.gathered[..len]) {
                Ok(())
            } else {
                Err(postcard::Error::SerializeBufferFull)
            }
        }
    }
    impl postcard::ser_flavors::Flavor for Flavor<'_> {
        type Output = ();
        #[inline]
        fn try_push(&mut self, byte: u8) -> postcard::Result<()> {
            if self.len == self.gathered.len() {
                self.flush()?;
            }
            self.gathered[self.len] = byte;
            self.len += 1;
            Ok(())
        }
        fn try_extend(&mut self, bytes: &[u8]) -> postcard::Result<()> {
            if let Some(room) = self.gathered.get_mut(self.len..self.len + bytes.len()) {
                room.copy_from_slice(bytes);
                self.len += bytes.len();
                return Ok(());
            }
            self.flush()?;
            if self.sink.put(bytes) { Ok(()) } else { Err(postcard::Error::SerializeBufferFull) }
        }
        fn finalize(mut self) -> postcard::Result<()> {
            self.flush()
        }
    }
    postcard::serialize_with_flavor(value, Flavor { sink, gathered: [0; GATHERED], len: 0 }).map_err(
        |error| match error {
            postcard::Error::SerializeBufferFull => EncodeError::Full,
            _ => EncodeError::Refused,
        },
    )
}

/// Decodes the whole of `bytes`; bytes that are left over are an error too.
pub(crate) fn decode<'a, T: Deserialize<'a>>(bytes: &'a [u8]) -> Option<T> {
    match postcard::take_from_bytes(bytes) {
        Ok((value, [])) => Some(value),
        _ => None,
    }
}
