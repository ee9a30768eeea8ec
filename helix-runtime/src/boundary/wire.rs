//! The messages between a host and a process in which a module lives, in postcard.
//!
//! They are what the two tables of functions say, in bytes. A conversation begins with a [`Down`]; the process may [`Ask`](Up)
//! before it is [`Done`](Up::Done), and each of these is answered by a [`Told`] before anything else is said. So at any moment
//! one of the two speaks, and a chain of calls is the same chain on both sides.

use alloc::string::String;
use alloc::vec::Vec;
use core::time::Duration;

use serde::{Deserialize, Serialize};

use super::crossing::{Crossing, Payload as Lent};
use crate::descriptor::{Status, Step};
use crate::error::ModuleError;
use crate::event::Builtin;
use crate::request::{MessagePriority, Request, Response};
use crate::schema::Shape;

/// Bytes, which cross as they are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Bytes<'a>(pub(super) &'a [u8]);

impl Serialize for Bytes<'_> {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_bytes(self.0)
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Bytes<'a> {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Deserialize::deserialize(deserializer).map(Self)
    }
}

/// What a host wants of a module.
#[derive(Debug, Serialize, Deserialize)]
pub(super) enum Down<'a> {
    /// Makes the instance.
    Create { id: u32, data_dir: Option<&'a str> },
    /// Puts a configured value into it, or its default.
    Configure { key: &'a str, value: Option<&'a str> },
    /// Runs a handler of the table: a step of its life, or its health.
    Step { entry: u16 },
    /// Lets a handler hear an event.
    Event {
        entry: u16,
        #[serde(borrow)]
        event: Event<'a>,
    },
    /// Lets handlers hear events, one after the other: each an [`Item`] with its length before it, a little-endian `u32`.
    Events { items: Bytes<'a> },
    /// Calls a handler with arguments in postcard.
    Request { entry: u16, args: Bytes<'a> },
    /// Calls a handler that takes requests as they are.
    Raw { entry: u16, request: Letter<'a> },
    /// Asks for the state.
    Save { entry: u16 },
    /// Gives a state back.
    Restore { entry: u16, state: Bytes<'a> },
    /// Lets a closure hear an event.
    Hear { closure: u64, event: Event<'a> },
    /// The closure listens no more.
    Forget { closure: u64 },
    /// Ends the instance.
    Destroy,
}

/// What a process says.
#[derive(Debug, Serialize, Deserialize)]
pub(super) enum Up<'a> {
    /// It has done what was wanted. Ends the conversation.
    Done { status: Status, bytes: Bytes<'a>, error: Bytes<'a> },
    /// A value of the module's configuration.
    Config { key: &'a str },
    /// Publishes an event.
    #[serde(borrow)]
    Publish(Event<'a>),
    /// Lets a closure listen.
    Subscribe { name: &'a str, topics: Vec<Topic<'a>>, priority: i16, closure: u64, owned: bool },
    /// It listens no more.
    Unsubscribe { subscription: u32 },
    /// Finds a request.
    Resolve { target: &'a str, request: &'a str },
    /// Whether the caller's types are those of a request.
    Agree { route: u32, args: Shape, reply: Shape },
    /// Calls a request with arguments in postcard.
    Call { route: u32, request: &'a str, timeout: Option<Duration>, args: Bytes<'a> },
    /// Sends a request as it is.
    Request { route: u32, timeout: Option<Duration>, letter: Letter<'a> },
    /// How long whoever has called the module still waits for it.
    TimeLeft,
}

/// What a host answers.
#[derive(Debug, Serialize, Deserialize)]
pub(super) enum Told<'a> {
    /// It is done.
    Done,
    /// A text, or that there is none.
    Text(Option<&'a str>),
    /// A number: of a route or of a subscription.
    Number(u32),
    /// A reply in postcard.
    #[serde(borrow)]
    Reply(Bytes<'a>),
    /// A response as it is.
    Response(Answer<'a>),
    /// Who heard an event, and what went wrong first.
    Published {
        /// Handled, ignored, deferred, queued, failed, dropped.
        counts: [u32; 6],
        paused: bool,
        module: Option<&'a str>,
        error: Bytes<'a>,
    },
    /// It went wrong: an `IpcError` in postcard, and the same in words.
    Failed { error: Bytes<'a>, text: &'a str },
    /// So long; nothing if for ever.
    Left(Option<Duration>),
}

/// An event for a handler, among others.
#[derive(Debug, Serialize, Deserialize)]
pub(super) enum Item<'a> {
    /// A value of the type that the handler hears.
    Value {
        entry: u16,
        #[serde(borrow)]
        bytes: Bytes<'a>,
    },
    /// Any event.
    Event {
        entry: u16,
        #[serde(borrow)]
        event: Event<'a>,
    },
}

/// What handlers did with events that came together.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(super) struct Heard<'a> {
    /// For each handler that was called how often it has handled, ignored and failed.
    pub(super) counts: Vec<(u16, [u32; 3])>,
    /// Which of the events were put off, by their number.
    pub(super) deferred: Vec<u32>,
    /// The first failures, each of a handler.
    #[serde(borrow)]
    pub(super) failures: Vec<(u16, Bytes<'a>)>,
}

/// A request as it is.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Letter<'a> {
    pub(super) source: &'a str,
    pub(super) request: &'a str,
    #[serde(borrow)]
    pub(super) payload: Bytes<'a>,
    pub(super) priority: u8,
    pub(super) timeout: Option<Duration>,
}

/// A response as it is.
#[derive(Debug, Serialize, Deserialize)]
pub(super) enum Answer<'a> {
    #[serde(borrow)]
    Success(Bytes<'a>),
    Error(&'a str),
    Rejected(&'a str),
    NotSupported,
}

/// An event.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Event<'a> {
    pub(super) topic: &'a str,
    pub(super) name: &'a str,
    #[serde(borrow)]
    pub(super) payload: Payload<'a>,
}

/// What it carries.
#[derive(Debug, Serialize, Deserialize)]
pub(super) enum Payload<'a> {
    /// What it was published as.
    #[serde(borrow)]
    Bytes(Bytes<'a>),
    /// A value of a type.
    Encoded { shape: Shape, bytes: Bytes<'a> },
    /// Its `Serialize` has refused.
    Refused,
}

/// What a closure listens to.
#[derive(Debug, Serialize, Deserialize)]
pub(super) enum Topic<'a> {
    Type { topic: &'a str, name: &'a str, shape: Shape },
    Named(&'a str),
    All,
}

/// What a process says of its module, before anything is wanted of it. `T` is a schema: on its way out one of this program,
/// on its way in what came.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Table<T> {
    pub(super) settings: Vec<Setting>,
    pub(super) entries: Vec<Entry<T>>,
    /// How many of the entries are the module's own; the others are its contracts'.
    pub(super) own: u16,
}

/// A configurable key.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Setting {
    pub(super) name: String,
    pub(super) ty: String,
    pub(super) default: Option<String>,
    pub(super) doc: String,
}

/// A handler.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Entry<T> {
    pub(super) exclusive: bool,
    pub(super) kind: Kind<T>,
}

/// What a handler is for.
#[derive(Debug, Serialize, Deserialize)]
pub(super) enum Kind<T> {
    Step(Step),
    Event { hears: Hears<T>, priority: i16 },
    Request { name: String, params: Vec<String>, doc: String, permission: Option<String>, types: Option<(T, T)> },
    Save { version: u32, state: T },
    Restore { version: u32, state: T },
}

/// What a handler listens to.
#[derive(Debug, Serialize, Deserialize)]
pub(super) enum Hears<T> {
    Type { topic: String, name: String, ty: T },
    Named(String),
    All,
}

/// How an [`Item::Value`] begins, before its bytes. Tells how long that is.
pub(super) fn value_head(entry: u16, length: usize, head: &mut [u8; 16]) -> usize {
    let mut at = 1;
    for mut number in [usize::from(entry), length] {
        while number >= 0x80 {
            head[at] = number as u8 | 0x80;
            (at, number) = (at + 1, number >> 7);
        }
        head[at] = number as u8;
        at += 1;
    }
    at
}

/// The events of a batch; nothing in the place of one that is none, with which it ends.
pub(super) fn items(mut bytes: &[u8]) -> impl Iterator<Item = Option<Item<'_>>> {
    core::iter::from_fn(move || {
        if bytes.is_empty() {
            return None;
        }
        let item = bytes.split_first_chunk().and_then(|(length, rest)| {
            let (item, rest) = rest.split_at_checked(u32::from_le_bytes(*length) as usize)?;
            bytes = rest;
            crate::message::decode(item)
        });
        if item.is_none() {
            bytes = &[];
        }
        Some(item)
    })
}

/// How long a message can be, in bytes.
pub const LONGEST: usize = 16 << 20;

/// What is said of one that is longer, to whoever wanted to send it.
pub(super) fn too_long(message: &[u8]) -> Option<ModuleError> {
    let found = message.len();
    (found > LONGEST).then(|| alloc::format!("found a message of {found} bytes, expected {LONGEST} at most").into())
}

/// How many bytes most messages have at most: these need no second piece of memory.
const MOST_MESSAGES: usize = 128;

/// A message in bytes.
pub(super) fn to_bytes(message: &impl Serialize) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(MOST_MESSAGES);
    // What is borrowed above is plain, and a vector grows.
    let _ = crate::message::encode(message, &mut bytes);
    bytes
}

impl<'a> Event<'a> {
    /// An event as it goes over the wire, where a built-in one is encoded too: into `bytes`.
    pub(super) fn of(event: &Crossing<'a>, bytes: &'a mut Vec<u8>) -> Self {
        let encoded = |shape, bytes| Payload::Encoded { shape, bytes: Bytes(bytes) };
        let payload = match event.payload {
            Lent::Builtin(value) => match Builtin::of(event.name) {
                // SAFETY: whoever lends a built-in event says truly which it is.
                Some(builtin) if unsafe { (builtin.codec.encode)(value, bytes) } => encoded(builtin.codec.shape, bytes),
                _ => Payload::Refused,
            },
            Lent::Bytes(bytes) => Payload::Bytes(Bytes(bytes)),
            Lent::Encoded { shape, bytes } => encoded(shape, bytes),
            Lent::Refused => Payload::Refused,
        };
        Self { topic: event.topic, name: event.name, payload }
    }

    /// The same as it crosses here; a built-in one stays encoded.
    pub(super) fn crossing(&self) -> Crossing<'a> {
        let payload = match self.payload {
            Payload::Bytes(Bytes(bytes)) => Lent::Bytes(bytes),
            Payload::Encoded { shape, bytes: Bytes(bytes) } => Lent::Encoded { shape, bytes },
            Payload::Refused => Lent::Refused,
        };
        Crossing { topic: self.topic, name: self.name, payload }
    }
}

impl super::Answer<'_> {
    pub(super) fn to_wire(&self) -> Answer<'_> {
        match *self {
            Self::Success(bytes) => Answer::Success(Bytes(bytes)),
            Self::Error(text) => Answer::Error(text),
            Self::Rejected(text) => Answer::Rejected(text),
            Self::NotSupported => Answer::NotSupported,
        }
    }
}

impl Answer<'_> {
    pub(super) fn to_response(&self) -> Response {
        match *self {
            Self::Success(Bytes(bytes)) => Response::Success(bytes.into()),
            Self::Error(text) => Response::Error(text.into()),
            Self::Rejected(text) => Response::Rejected(text.into()),
            Self::NotSupported => Response::NotSupported,
        }
    }
}

const PRIORITIES: [MessagePriority; 4] =
    [MessagePriority::Low, MessagePriority::Normal, MessagePriority::High, MessagePriority::Critical];

impl<'a> Letter<'a> {
    pub(super) fn of(request: &'a Request) -> Self {
        let priority = PRIORITIES.iter().position(|priority| *priority == request.priority).unwrap_or(1);
        Self {
            source: request.source(),
            request: &request.request_type,
            payload: Bytes(&request.payload),
            priority: priority as u8,
            timeout: request.timeout,
        }
    }

    pub(super) fn to_request(&self) -> Request {
        let mut request = Request::new(self.request).with_payload(self.payload.0);
        request.priority = PRIORITIES.get(usize::from(self.priority)).copied().unwrap_or_default();
        request.timeout = self.timeout;
        request
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_begins_as_the_codec_writes_it() {
        for entry in [0, 1, 127, 128, 255, u16::MAX] {
            for length in [0, 1, 127, 128, 300, 20_000, 3_000_000] {
                let bytes = alloc::vec![7; length];
                let whole = to_bytes(&Item::Value { entry, bytes: Bytes(&bytes) });
                let mut head = [0; 16];
                let at = value_head(entry, length, &mut head);
                assert_eq!(head[..at], whole[..whole.len() - length]);
            }
        }
    }
}
