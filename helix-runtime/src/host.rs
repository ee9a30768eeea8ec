//! What a module asks of whoever runs it, and how a call travels there.

use core::fmt;
use core::time::Duration;

#[cfg(feature = "std")]
use crate::boundary::{Delivered, EventCodec};
use crate::bus::{EventSubscription, SubscriptionId};
use crate::codec::{Codec, TypedCall};
use crate::context::Context;
use crate::error::IpcResult;
#[cfg(feature = "std")]
use crate::error::ModuleError;
use crate::event::{Delivery, PublishResult};
use crate::handle::Handle;
use crate::message::Sink;
use crate::place::Place;
use crate::request::{Request, Response};
use crate::schema::Shape;

/// What offers a module its services. One per placement; a module never sees which.
#[expect(private_interfaces, reason = "a host outside of this crate reaches it through a table, not this trait")]
pub trait Host: Send + Sync {
    /// A configured value of a module's own.
    fn config(&self, place: &Place, key: &str) -> Option<&str>;
    /// A line for the log, under the module's name.
    fn log(&self, place: &Place, level: log::Level, text: fmt::Arguments<'_>);
    /// Calls the handlers of an event.
    fn publish(&self, from: Option<&Context>, event: &Delivery<'_>) -> PublishResult;
    /// Adds a listener that ends with the module.
    fn subscribe(&self, owner: Option<&Place>, subscription: EventSubscription) -> IpcResult<SubscriptionId>;
    /// Takes a listener away.
    fn unsubscribe(&self, subscription: SubscriptionId) -> IpcResult<()>;
    /// Finds `target` (a module or a service) and a request of its.
    fn resolve(&self, target: &str, request: &str) -> IpcResult<Route>;
    /// Checks that a caller's types are those of the request behind a route.
    fn agree(&self, route: Route, codec: &Codec) -> IpcResult<()>;
    /// Passes a call's values as they are to a handler of those very types, if that can be done at once.
    fn call_directly(&self, from: Option<&Context>, to: &To<'_>, call: &mut TypedCall<'_>) -> Direct;
    /// Makes a call along a route.
    fn call(&self, from: Option<&Context>, route: Route, call: &mut Call<'_, '_>) -> IpcResult<()>;
    /// What a module may keep beyond a call.
    fn handle(&self) -> Handle;
    /// The instance of that address has ended by itself, outside of any call of it.
    #[cfg(feature = "std")]
    fn ended(&self, instance: usize, error: ModuleError) {
        let _ = (instance, error);
    }
    /// Runs with the module of the instance of that address entered, in its turn. Whether it came to that.
    #[cfg(feature = "std")]
    fn in_turn(&self, instance: usize, run: Deliver<'_>) -> bool {
        let _ = (instance, run);
        false
    }
    /// Whose handlers take an event of that name as a type of this copy's.
    #[cfg(feature = "std")]
    fn native(&self, event: &str) -> Option<Native> {
        let _ = event;
        None
    }
}

/// Delivers events that have waited for a module, on behalf of that call.
#[cfg(feature = "std")]
pub(crate) type Deliver<'a> = &'a mut dyn FnMut(&Context) -> Result<Delivered, ModuleError>;

/// Handlers that take an event of some name as a type of this copy's.
#[cfg(feature = "std")]
#[derive(Clone, Copy)]
pub(crate) struct Native {
    pub(crate) codec: &'static EventCodec,
    /// The first of their modules.
    pub(crate) module: &'static str,
    pub(crate) listeners: u32,
}

/// A request of a target, by number: it stays the same whoever answers it.
#[doc(hidden)]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Route(pub(crate) u32);

/// Where a call goes.
#[derive(Clone, Copy)]
pub(crate) enum To<'a> {
    /// Along a route, which stands for the request of that name.
    Route(Route, &'a str),
    /// To `module.request` or `service.request`.
    Path(&'a str),
}

/// What became of a call that was to be made directly.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Direct {
    /// The reply is written.
    Replied,
    /// The handler was called, and the call says what went wrong.
    Failed,
    /// Nothing was done.
    Not,
}

/// One call on its way to a handler.
#[doc(hidden)]
pub struct Call<'c, 'a> {
    /// The request's name, for handlers that take any.
    pub(crate) request: &'c str,
    /// How long the caller waits for the module to be free; for ever if none.
    pub(crate) timeout: Option<Duration>,
    pub(crate) carries: &'c mut Carries<'a>,
}

/// What a call carries.
pub(crate) enum Carries<'a> {
    /// Values of the types that the codec describes.
    Typed(TypedCall<'a>),
    /// The argument in bytes, and where the reply's bytes go.
    Bytes { args: &'a [u8], reply: &'a mut dyn Sink },
    /// A whole request, as a raw handler sees it.
    Raw { request: Request, response: Option<Response> },
}

impl Carries<'_> {
    pub(crate) fn codec(&self) -> Option<&'static Codec> {
        match self {
            Self::Typed(call) => Some(call.codec()),
            _ => None,
        }
    }

    pub(crate) fn reply_shape(&self) -> Option<Shape> {
        self.codec().map(Codec::reply)
    }
}
