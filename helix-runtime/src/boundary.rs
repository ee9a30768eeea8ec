//! What crosses between a program and a module that carries its own copy of this crate.
//!
//! A library has its own allocator, its own statics and its own thread-locals, so no ownership crosses: arguments go in
//! borrowed, replies and errors are written into a sink of the caller's, and what must be kept is an opaque token that goes
//! back to whoever made it. A handler's function is called by the host as it stands in the module's descriptor; what it
//! asks of its host goes through `HostCalls`, and the little that a host asks besides through `GuestCalls`.
//!
//! - `crossing.rs`: an event, in the three forms in which it crosses.
//! - `fault.rs`: errors, in bytes.
//! - `guest.rs`: the module's end: a [`Host`](crate::Host) that asks the other one.
//! - `host.rs`: the host's end: the functions behind that.
//! - `adopt.rs`: what the host makes of the descriptor that it finds in a library.
//!
//! To another process the same two tables go as messages:
//!
//! - `wire.rs`: the messages.
//! - `far.rs`: the host's end: a descriptor whose handlers send (`far/table.rs`), and the answers to what is asked, as far as
//!   it is allowed (`far/answers.rs`, `far/act.rs`); events that wait are in `far/lanes.rs` and `far/queue.rs`.
//! - `near.rs`: the process's end: a module that is asked in messages, and a table of host functions that sends.
//! - `schema.rs`: the schemas that come in a process's table.
//!
//! Both ends are built from this very source, which the ABI tag proves before anything of a library runs.

mod adopt;
mod crossing;
mod far;
mod fault;
mod guest;
mod host;
mod near;
mod schema;
mod wire;

use core::time::Duration;

use crate::codec::Codec;
use crate::context::Context;
use crate::descriptor::{Descriptor, Placement, Status};
use crate::error::ModuleError;
use crate::event::Delivery;
use crate::handle::Handle;
use crate::message::Sink;
use crate::place::Place;
use crate::request::{Request, Response};
use crate::schema::Shape;

pub(crate) use crossing::{Crossing, EventCodec, Payload, publish, received, received_as};
pub use far::{Act, Asks, Process, Spawn, TableFault, Turn, descriptor};
pub(crate) use far::{Delivered, InBytes, Put, Queue};
pub(crate) use fault::{known, nested, unfit};
pub(crate) use guest::Remote;
pub(crate) use host::Attached;
pub use near::{AskOutside, Near, Wire};
pub use wire::LONGEST;

/// What a library exports, under the symbol [`SYMBOL`].
///
/// A loader that has checked a library's record finds this in it, and asks it for the module's descriptor.
#[derive(Debug)]
pub struct Export {
    descriptor: &'static Descriptor,
    guest: &'static GuestCalls,
}

/// The name of the one symbol that a library exports: a static [`Export`].
pub const SYMBOL: &str = "HELIX_MODULE";

impl Export {
    #[doc(hidden)]
    pub const fn of(descriptor: &'static Descriptor) -> Self {
        Self { descriptor, guest: guest::CALLS }
    }

    /// The module's descriptor, as a runtime of this program takes it.
    ///
    /// What it needs beside the library's own statics is allocated for good: some hundred bytes a handler.
    ///
    /// # Safety
    /// `self` lies in a library whose record has the [`AbiTag`](crate::AbiTag) of this program, and that stays mapped as
    /// long as the process lives.
    pub unsafe fn adopt(&'static self) -> &'static Descriptor {
        adopt::adopt(self.descriptor, self.guest)
    }
}

/// The host's end of one instance: an opaque pointer, which the guest gives back.
#[derive(Debug, Clone, Copy)]
pub(crate) struct HostEnd(*const ());

// SAFETY: behind it is a `Handle`, which is both.
unsafe impl Send for HostEnd {}
// SAFETY: as above.
unsafe impl Sync for HostEnd {}

/// A closure of a guest's that listens: an opaque pointer, which the host gives back.
#[derive(Debug, Clone, Copy)]
pub(crate) struct GuestClosure(*const ());

// SAFETY: behind it is an `EventHandler`, which is both.
unsafe impl Send for GuestClosure {}
// SAFETY: as above.
unsafe impl Sync for GuestClosure {}

/// Where the instances of a module live that is not linked to this program.
pub(crate) trait Home: Sync + core::fmt::Debug {
    /// Makes an instance, whose contexts are to ask the host behind the handle.
    fn lodge(&self, descriptor: &Descriptor, place: &Place, handle: Handle) -> Result<Lodging, ModuleError>;

    /// Gives the instance of a place what its contexts are to ask: these functions. Nothing where it is no library.
    fn attach(&self, calls: &'static HostCalls, end: HostEnd, place: &Place) -> Option<Attached>;

    /// What it is called.
    fn placement(&self) -> Placement;

    /// Whether events wait for its instances, so that nobody waits who publishes them.
    fn queues(&self) -> bool {
        false
    }

    /// Whether its instances come by themselves, so that none can be made.
    fn comes_by_itself(&self) -> bool {
        false
    }

    /// Delivers the events that wait for an instance now. For whoever has it to itself.
    ///
    /// # Safety
    /// `data` is of an instance of its own, and is there for the call.
    unsafe fn flush(&self, data: *mut (), cx: &Context) -> Result<Delivered, ModuleError> {
        let _ = (data, cx);
        Ok(Delivered::default())
    }
}

/// An instance that was made.
pub(crate) struct Lodging {
    /// Its data; null when its constructor has panicked.
    pub(crate) data: *mut (),
    /// What goes after it.
    pub(crate) attached: Option<Attached>,
    /// Where events wait for it, if they do.
    pub(crate) queue: Option<alloc::sync::Arc<Queue>>,
}

/// What a host calls of a guest besides its handlers. All of them catch the module's panics.
#[derive(Debug)]
pub(crate) struct GuestCalls {
    /// An instance is about to be made: what its contexts are to ask.
    attach: unsafe fn(&'static HostCalls, HostEnd, name: &'static str) -> *mut Remote,
    /// The instance is gone.
    detach: unsafe fn(*mut Remote),
}

/// What a host calls of a closure that is not of its own copy. It catches the closure's panics.
#[derive(Debug)]
pub(crate) struct EarCalls {
    /// Calls a closure that listens.
    hear: unsafe fn(GuestClosure, &Crossing<'_>, error: &mut dyn Sink) -> Status,
    /// The closure listens no more.
    forget: unsafe fn(GuestClosure),
}

/// The table of host functions: what a guest asks of its host. All of them catch the host's panics.
pub(crate) struct HostCalls {
    /// The guest asks no more.
    release: unsafe fn(HostEnd),
    /// What went wrong in a handler, for the call that is under way.
    fail: unsafe fn(&Context, error: &[u8]),
    /// What a raw handler has answered.
    respond: unsafe fn(&mut Option<Response>, Answer<'_>),
    /// The event that is delivered, in the form in which it crosses.
    lend: for<'a> unsafe fn(&'a Delivery<'_>) -> Crossing<'a>,
    /// How long whoever has called the module still waits.
    time_left: unsafe fn(HostEnd) -> Option<Duration>,
    config: unsafe fn(HostEnd, &Place, key: &str) -> Option<*const str>,
    log: unsafe fn(&Line<'_>),
    enabled: fn(level: usize) -> bool,
    publish: unsafe fn(HostEnd, &Crossing<'_>, error: &mut dyn Sink) -> Outcome,
    subscribe: unsafe fn(HostEnd, Option<&Place>, &Subscription<'_>, error: &mut dyn Sink) -> Option<u32>,
    unsubscribe: unsafe fn(HostEnd, u32, error: &mut dyn Sink) -> bool,
    resolve: unsafe fn(HostEnd, target: &str, request: &str, error: &mut dyn Sink) -> Option<u32>,
    agree: unsafe fn(HostEnd, route: u32, &Codec, error: &mut dyn Sink) -> bool,
    call: unsafe fn(HostEnd, &Asked<'_>, args: &[u8], reply: &mut dyn Sink, error: &mut dyn Sink) -> bool,
    request: RequestFn,
}

type RequestFn = unsafe fn(HostEnd, &Asked<'_>, &Request, &mut dyn FnMut(Answer<'_>), error: &mut dyn Sink) -> bool;

/// A line of a guest's for the log.
struct Line<'a> {
    module: &'a str,
    /// What the line was written under in the module, such as the path of its crate.
    target: &'a str,
    level: usize,
    text: &'a str,
}

/// Which request is asked for, and for how long the caller waits.
struct Asked<'a> {
    route: u32,
    request: &'a str,
    timeout: Option<Duration>,
}

/// A [`Response`], borrowed.
enum Answer<'a> {
    Success(&'a [u8]),
    Error(&'a str),
    Rejected(&'a str),
    NotSupported,
}

/// A [`PublishResult`](crate::PublishResult) without its error, which is written beside.
#[derive(Default)]
struct Outcome {
    handled: u32,
    ignored: u32,
    deferred: u32,
    queued: u32,
    failed: u32,
    dropped: u32,
    paused: bool,
    /// Who failed first.
    module: Option<&'static str>,
}

/// An [`EventSubscription`](crate::EventSubscription), whose closure stays where it is.
struct Subscription<'a> {
    name: &'static str,
    topics: &'a [Topic<'a>],
    priority: i16,
    closure: GuestClosure,
    ear: &'static EarCalls,
}

/// What one listens to.
enum Topic<'a> {
    Type { topic: &'static str, name: &'static str, shape: Shape },
    Named(&'a str),
    All,
}

impl<'a> Answer<'a> {
    fn of(response: &'a Response) -> Self {
        match response {
            Response::Success(bytes) => Self::Success(bytes),
            Response::Error(text) => Self::Error(text),
            Response::Rejected(text) => Self::Rejected(text),
            Response::NotSupported => Self::NotSupported,
        }
    }

    fn to_response(&self) -> Response {
        match *self {
            Self::Success(bytes) => Response::Success(bytes.into()),
            Self::Error(text) => Response::Error(text.into()),
            Self::Rejected(text) => Response::Rejected(text.into()),
            Self::NotSupported => Response::NotSupported,
        }
    }
}
