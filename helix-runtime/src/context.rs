//! What a module sees of the world: the context of one call, and the handle it may keep.

use alloc::string::String;
use core::cell::Cell;
use core::fmt;
use core::ptr::NonNull;

use crate::client::{self, Client};
use crate::codec::{Codec, TypedCall};
use crate::config::{self, FromConfig};
use crate::error::{IpcResult, ModuleError, ModuleResult};
use crate::event::{Delivery, Publish, PublishResult};
use crate::handle::Handle;
use crate::message::{Args, Message, Sink};
use crate::request::{Request, Response};
use crate::schema::Shape;

/// Identifies an instance for as long as its runtime lives.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ModuleId(pub(crate) u32);

impl ModuleId {
    /// As a number: the order of registration.
    pub fn as_u64(self) -> u64 {
        self.0.into()
    }
}

impl fmt::Display for ModuleId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "#{}", self.0)
    }
}

/// What offers a module its services. One per placement; a module never sees which.
pub trait Host: Send + Sync {
    /// A module's name.
    fn name(&self, module: ModuleId) -> &str;
    /// A configured value of a module's own.
    fn config(&self, module: ModuleId, key: &str) -> Option<&str>;
    /// A line for the log, under the module's name.
    fn log(&self, module: ModuleId, level: log::Level, text: fmt::Arguments<'_>);
    /// Calls the handlers of an event.
    fn publish(&self, from: Option<&Context>, event: &Delivery<'_>) -> PublishResult;
    /// Finds `target` (a module or a service) and a request of its.
    fn resolve(&self, target: &str, request: &str) -> IpcResult<Route>;
    /// Checks that a caller's types are those of the request behind a route.
    fn agree(&self, route: Route, codec: &'static Codec) -> IpcResult<()>;
    /// Makes a call along a route.
    fn call(&self, from: Option<&Context>, route: Route, call: &mut Call<'_, '_>) -> IpcResult<()>;
    /// What a module may keep beyond a call.
    fn handle(&self) -> Handle;
}

/// A resolved request, opaque to all but the host that resolved it.
#[doc(hidden)]
#[derive(Debug, Clone, Copy)]
pub struct Route {
    pub(crate) module: u32,
    pub(crate) request: u32,
}

/// One call on its way to a handler.
#[doc(hidden)]
pub struct Call<'c, 'a> {
    /// The request's name, for handlers that take any.
    pub(crate) request: &'c str,
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

/// One call of a handler: who is called, on whose behalf, and what it may ask of its host.
///
/// It is a link in the chain of calls, so it lives on the stack and cannot be kept; what can be is a [`Handle`].
pub struct Context {
    /// The module's id.
    pub id: ModuleId,
    host: NonNull<dyn Host>,
    up: Option<NonNull<Context>>,
    depth: u32,
    /// Whether the module is locked for this call.
    holds: bool,
    /// What went wrong in the handler, for its caller.
    fault: Cell<Option<ModuleError>>,
}

impl Context {
    /// A link below `up`.
    ///
    /// # Safety
    /// `host` and `up` must outlive the context.
    #[inline]
    pub(crate) unsafe fn new(id: ModuleId, host: &dyn Host, up: Option<NonNull<Context>>) -> Self {
        // SAFETY: only the lifetime changes; the caller promises that the host outlives the context.
        let host = unsafe { core::mem::transmute::<NonNull<dyn Host + '_>, NonNull<dyn Host>>(host.into()) };
        // SAFETY: `up` is alive, as the caller promises.
        let depth = up.map_or(0, |up| unsafe { up.as_ref() }.depth + 1);
        Self { id, host, up, depth, holds: false, fault: Cell::new(None) }
    }

    #[inline]
    fn host(&self) -> &dyn Host {
        // SAFETY: the host outlives the context (see `new`).
        unsafe { self.host.as_ref() }
    }

    pub(crate) fn up_link(&self) -> Option<NonNull<Context>> {
        self.up
    }

    pub(crate) fn up(&self) -> Option<&Context> {
        // SAFETY: the caller's link outlives this one (see `new`).
        self.up.map(|up| unsafe { up.as_ref() })
    }

    /// Turns to the next module that this context calls.
    #[inline]
    pub(crate) fn turn_to(&mut self, id: ModuleId, holds: bool) {
        self.id = id;
        self.holds = holds;
    }

    #[inline]
    pub(crate) fn depth(&self) -> u32 {
        self.depth
    }

    /// The host of that address, if this call, or one that led to it, is of it.
    pub(crate) fn host_at(&self, host: *const ()) -> Option<&dyn Host> {
        if core::ptr::addr_eq(self.host.as_ptr(), host) {
            return Some(self.host());
        }
        self.up()?.host_at(host)
    }

    /// Whether this call, or one that led to it, holds a module's lock.
    #[cfg(feature = "std")]
    pub(crate) fn holds_any(&self) -> bool {
        self.holds || self.up().is_some_and(Self::holds_any)
    }

    /// Whether this call, or one that led to it, holds the lock of that host's module.
    pub(crate) fn holds_lock_of(&self, host: *const (), id: ModuleId) -> bool {
        (self.holds && self.id == id && core::ptr::addr_eq(self.host.as_ptr(), host))
            || self.up().is_some_and(|up| up.holds_lock_of(host, id))
    }

    #[cold]
    pub(crate) fn fail(&self, error: ModuleError) {
        self.fault.set(Some(error));
    }

    pub(crate) fn take_fault(&self) -> ModuleError {
        self.fault.take().unwrap_or_else(|| ModuleError::new("failed without a reason"))
    }

    /// The module's name.
    pub fn name(&self) -> &str {
        self.host().name(self.id)
    }

    /// A value of the module's configuration.
    pub fn config(&self, key: &str) -> Option<&str> {
        self.host().config(self.id, key)
    }

    /// A value of the module's configuration, or `default` where it is not set.
    pub fn config_or<'a>(&'a self, key: &str, default: &'a str) -> &'a str {
        self.config(key).unwrap_or(default)
    }

    /// A whole number of the module's configuration; an error when it is set to something else.
    pub fn config_usize(&self, key: &str) -> ModuleResult<Option<usize>> {
        self.config_as(key)
    }

    /// A typed value of the module's configuration; an error when it is set to something else.
    pub fn config_as<T: FromConfig>(&self, key: &str) -> ModuleResult<Option<T>> {
        self.config(key).map(|value| config::read(key, value)).transpose()
    }

    /// Publishes an event to all who listen, this module excepted while it is busy with this very call.
    pub fn publish(&self, event: &impl Publish) -> PublishResult {
        event.deliver(|delivery| self.host().publish(Some(self), delivery))
    }

    /// Sends a request in bytes to a module or a service.
    pub fn request(&self, target: &str, request: Request) -> IpcResult<Response> {
        client::request(self.host(), Some(self), target, request)
    }

    /// Calls `module.request` (or `service.request`) with typed arguments.
    pub fn call<A: Args, R: Message>(&self, request: &str, args: A::Of<'_>) -> IpcResult<R> {
        client::call_path::<A, R>(self.host(), Some(self), request, args)
    }

    /// A client of a service, resolved once; it may be kept.
    pub fn service<C: Client>(&self) -> IpcResult<C> {
        client::connect(self.host())
    }

    /// Writes a line to the log under the module's name.
    pub fn log(&self, level: log::Level, text: fmt::Arguments<'_>) {
        self.host().log(self.id, level, text);
    }

    /// What may be kept beyond this call and sent to other threads.
    pub fn handle(&self) -> Handle {
        self.host().handle()
    }

    /// The modules from the outermost caller to this one: `a -> b`.
    pub(crate) fn chain(&self) -> String {
        let mut chain = self.up().map_or_else(String::new, |up| up.chain() + " -> ");
        chain.push_str(self.name());
        chain
    }
}

impl fmt::Debug for Context {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Context").field("id", &self.id).field("name", &self.name()).finish_non_exhaustive()
    }
}
