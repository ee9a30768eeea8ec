//! What a module sees of the world: the context of one call.

mod time;

use alloc::string::String;
use core::cell::Cell;
use core::fmt;
use core::mem::offset_of;
use core::ops::Deref;
use core::ptr::NonNull;
use core::sync::atomic::Ordering;

use crate::bus::{EventSubscription, SubscriptionId};
use crate::client::{self, Client};
use crate::config::{self, FromConfig};
use crate::error::{IpcResult, ModuleError, ModuleResult};
use crate::event::{Publish, PublishResult};
use crate::handle::Handle;
use crate::host::{Host, To};
use crate::message::{Args, Message};
use crate::place::{Place, Remote};
use crate::request::{Request, Response};
use crate::runtime::{Access, Patience};

/// One call of a handler: who is called, on whose behalf, and what it may ask of its host. `ctx.id` is the module's id.
///
/// It is a link in the chain of calls, so it lives on the stack and cannot be kept; what can be is a [`Handle`].
pub struct Context {
    hold: Hold,
    place: NonNull<Place>,
    host: NonNull<dyn Host>,
    up: Option<NonNull<Context>>,
    depth: u32,
    /// How long the caller waits, and its own callers.
    patience: Patience,
    /// What went wrong in the handler, for its caller.
    fault: Cell<Option<ModuleError>>,
}

/// What a call keeps others from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Hold {
    /// Its module, in that way.
    Place(Access),
    /// Every module of its host that is gated: it is a transition's.
    Gated,
}

impl Context {
    /// Where its fields lie, and those of a place, which modules look at.
    pub(crate) const LAYOUT: [usize; 10] = [
        size_of::<Self>(),
        offset_of!(Self, place),
        offset_of!(Self, host),
        offset_of!(Self, up),
        offset_of!(Self, hold),
        offset_of!(Self, fault),
        size_of::<Place>(),
        offset_of!(Place, id),
        offset_of!(Place, name),
        offset_of!(Place, data_dir),
    ];

    /// A link below `up`.
    ///
    /// # Safety
    /// `place`, `host` and `up` must outlive the context.
    #[inline]
    pub(crate) unsafe fn new(place: &Place, host: &dyn Host, up: Option<NonNull<Context>>) -> Self {
        // SAFETY: only the lifetime changes; the caller promises that the host outlives the context.
        let host = unsafe { core::mem::transmute::<NonNull<dyn Host + '_>, NonNull<dyn Host>>(host.into()) };
        // SAFETY: `up` is alive, as the caller promises.
        let above = up.map(|up| unsafe { up.as_ref() });
        let (depth, patience) = above.map_or((0, Patience::ENDLESS), |above| (above.depth + 1, above.patience));
        let hold = Hold::Place(Access::Free);
        Self { place: place.into(), host, up, depth, hold, patience, fault: Cell::new(None) }
    }

    /// What this call's module asks.
    #[inline]
    fn host(&self) -> &dyn Host {
        #[cfg(feature = "std")]
        if let Some(remote) = self.place().remote() {
            return remote;
        }
        self.own_host()
    }

    #[inline]
    fn own_host(&self) -> &dyn Host {
        // SAFETY: the host outlives the context (see `new`).
        unsafe { self.host.as_ref() }
    }

    /// The other copy of this crate that this call has come from, for code of a module.
    #[inline]
    pub(crate) fn remote(&self) -> Option<&Remote> {
        self.place().remote()
    }

    #[inline]
    pub(crate) fn up_link(&self) -> Option<NonNull<Context>> {
        self.up
    }

    pub(crate) fn up(&self) -> Option<&Context> {
        // SAFETY: the caller's link outlives this one (see `new`).
        self.up.map(|up| unsafe { up.as_ref() })
    }

    /// Turns to the next module that this context calls.
    ///
    /// # Safety
    /// As for `new`.
    #[inline]
    pub(crate) unsafe fn turn_to(&mut self, place: &Place, hold: Hold) {
        self.place = place.into();
        self.hold = hold;
    }

    /// The same from one module without a lock to another.
    ///
    /// # Safety
    /// As for `new`.
    #[inline(always)]
    pub(crate) unsafe fn turn_freely_to(&mut self, place: &Place) {
        debug_assert_eq!(self.hold, Hold::Place(Access::Free));
        self.place = place.into();
    }

    #[inline]
    pub(crate) fn place(&self) -> &Place {
        // SAFETY: the place outlives the context (see `new`).
        unsafe { self.place.as_ref() }
    }

    #[inline]
    pub(crate) fn depth(&self) -> u32 {
        self.depth
    }

    /// The host of that address, if this call, or one that led to it, is of it.
    pub(crate) fn host_at(&self, host: *const ()) -> Option<&dyn Host> {
        if core::ptr::addr_eq(self.host.as_ptr(), host) {
            return Some(self.own_host());
        }
        self.up()?.host_at(host)
    }

    /// This call and those that led to it, the innermost first.
    pub(crate) fn links(&self) -> impl Iterator<Item = &Context> {
        core::iter::successors(Some(self), |link| link.up())
    }

    pub(crate) fn is_of(&self, host: *const ()) -> bool {
        core::ptr::addr_eq(self.host.as_ptr(), host)
    }

    /// How this link alone holds that place of that host.
    fn hold_of(&self, host: *const (), place: &Place) -> Option<Access> {
        match self.hold {
            Hold::Place(access) => core::ptr::eq(self.place.as_ptr(), place).then_some(access),
            Hold::Gated if self.is_of(host) && place.gated.load(Ordering::Relaxed) => Some(Access::Exclusive),
            Hold::Gated => None,
        }
    }

    /// How this call, or one that led to it, holds that place; the outermost one counts.
    pub(crate) fn holds(&self, host: *const (), place: &Place) -> Option<Access> {
        self.links().filter_map(|link| link.hold_of(host, place)).last()
    }

    /// Whether a transition of that host has led to this call.
    pub(crate) fn is_of_transition(&self, host: *const ()) -> bool {
        self.links().any(|link| link.is_of(host) && link.hold == Hold::Gated)
    }

    /// Whether this call, or one that led to it, is in a place of that host for which a transition waits.
    #[cfg(feature = "std")]
    pub(crate) fn is_gated(&self, host: *const ()) -> bool {
        self.links().any(|link| link.is_of(host) && link.place().gated.load(Ordering::Relaxed))
    }

    /// Tells what went wrong in a handler.
    #[cold]
    pub(crate) fn fail(&self, error: ModuleError) {
        #[cfg(feature = "std")]
        if let Some(remote) = self.remote() {
            return remote.fail(self, &error);
        }
        self.fail_here(error);
    }

    /// The same, for the copy of this crate that the call has come from.
    pub(crate) fn fail_here(&self, error: ModuleError) {
        self.fault.set(Some(error));
    }

    /// Gives a raw handler's answer to whoever has called it.
    #[inline]
    pub(crate) fn respond(&self, to: &mut Option<Response>, response: Response) {
        #[cfg(feature = "std")]
        if let Some(remote) = self.remote() {
            return remote.respond(to, &response);
        }
        *to = Some(response);
    }

    pub(crate) fn take_fault(&self) -> ModuleError {
        self.fault.take().unwrap_or_else(|| ModuleError::new("failed without a reason"))
    }

    /// The module's name.
    pub fn name(&self) -> &str {
        self.place().name
    }

    /// The directory that is the module's own, where its host gives it one.
    pub fn data_dir(&self) -> Option<&str> {
        self.place().data_dir.as_deref()
    }

    /// A value of the module's configuration.
    pub fn config(&self, key: &str) -> Option<&str> {
        self.host().config(self.place(), key)
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

    /// Listens to what is published, until it is unsubscribed or the module goes.
    ///
    /// # Errors
    /// A topic's name that is none.
    pub fn subscribe(&self, subscription: EventSubscription) -> IpcResult<SubscriptionId> {
        self.host().subscribe(Some(self.place()), subscription)
    }

    /// Ends a subscription; see [`Runtime::unsubscribe`](crate::Runtime::unsubscribe).
    pub fn unsubscribe(&self, subscription: SubscriptionId) -> IpcResult<()> {
        self.host().unsubscribe(subscription)
    }

    /// Sends a request in bytes to a module or a service.
    pub fn request(&self, target: &str, request: Request) -> IpcResult<Response> {
        client::request(self.host(), Some(self), target, request)
    }

    /// Calls `module.request` (or `service.request`) with typed arguments.
    pub fn call<A: Args, R: Message>(&self, request: &str, args: A::Of<'_>) -> IpcResult<R> {
        client::call::<A, R>(self.host(), Some(self), &To::Path(request), args)
    }

    /// A client of a service, resolved once; it may be kept.
    pub fn service<C: Client>(&self) -> IpcResult<C> {
        client::connect(self.host())
    }

    /// Writes a line to the log under the module's name.
    pub fn log(&self, level: log::Level, text: fmt::Arguments<'_>) {
        self.host().log(self.place(), level, text);
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

impl Deref for Context {
    type Target = Place;

    #[inline]
    fn deref(&self) -> &Place {
        self.place()
    }
}

impl fmt::Debug for Context {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Context").field("id", &self.id).field("name", &self.name()).finish_non_exhaustive()
    }
}
