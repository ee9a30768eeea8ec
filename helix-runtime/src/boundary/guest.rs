//! The module's end: a [`Host`] that asks the other copy, and what that asks of this one.

use alloc::boxed::Box;
use alloc::string::String;
use alloc::string::ToString;
use alloc::sync::{Arc, Weak};
use alloc::vec::Vec;
use core::fmt;
use core::sync::atomic::{AtomicPtr, Ordering};
use core::time::Duration;

use super::crossing::{Crossing, event_of};
use super::{Answer, Asked, EarCalls, GuestCalls, GuestClosure, HostCalls, HostEnd, Line, Subscription, Topic, fault};
use crate::bus::{EventHandler, EventSubscription, SubscriptionId};
use crate::codec::{Codec, TypedCall};
use crate::context::Context;
use crate::descriptor::Status;
use crate::erase::guard;
use crate::error::{IpcError, IpcResult, ModuleError};
use crate::event::{Delivery, EventResponse, Hears, PublishResult};
use crate::handle::Handle;
use crate::host::{Call, Carries, Direct, Host, Route, To};
use crate::message::{Sink, Spill};
use crate::place::Place;
use crate::request::Response;

pub(super) const CALLS: &GuestCalls = &GuestCalls { attach, detach };
const EARS: &EarCalls = &EarCalls { hear, forget };

/// What an instance in a library asks of its host.
pub(crate) struct Remote {
    host: &'static HostCalls,
    end: HostEnd,
    this: Weak<Self>,
}

impl Drop for Remote {
    fn drop(&mut self) {
        // SAFETY: the end came with `attach`, and goes back once.
        unsafe { (self.host.release)(self.end) };
    }
}

unsafe fn attach(host: &'static HostCalls, end: HostEnd, name: &'static str) -> *mut Remote {
    let remote = Arc::new_cyclic(|this| Remote { host, end, this: this.clone() });
    forward_log(host, name);
    Arc::into_raw(remote).cast_mut()
}

unsafe fn detach(remote: *mut Remote) {
    // SAFETY: it came from `Arc::into_raw` above, and comes back once.
    let remote = unsafe { Arc::from_raw(remote.cast_const()) };
    // A handle that was kept goes on as long as the runtime does, like that of a module that is linked: with it stays its end.
    if Arc::weak_count(&remote) > 1 {
        core::mem::forget(remote);
    }
}

unsafe fn hear(closure: GuestClosure, event: &Crossing<'_>, error: &mut dyn Sink) -> Status {
    // SAFETY: `subscribe` made it of a handler, and `forget` has not come yet.
    let handler = unsafe { &*closure.0.cast::<EventHandler>() };
    // SAFETY: the host vouches for what it lends.
    let event = match unsafe { event_of(event) } {
        Ok(event) => event,
        Err(refused) => {
            fault::write_module(&refused, error);
            return Status::Failed;
        }
    };
    // Dropped where a panic of its is caught, like that of the closure.
    let heard = guard(move || {
        let response = handler(&event);
        drop(event);
        response
    });
    match heard {
        Ok(EventResponse::Handled) => Status::Handled,
        Ok(EventResponse::Ignored) => Status::Ignored,
        Ok(EventResponse::Deferred) => Status::Deferred,
        Ok(EventResponse::Error(failed)) => {
            fault::write_module(&failed, error);
            Status::Failed
        }
        Err(message) => {
            error.put(message.as_bytes());
            Status::Panicked
        }
    }
}

unsafe fn forget(closure: GuestClosure) {
    // SAFETY: `subscribe` made it so, and it comes back once.
    let handler = unsafe { Box::from_raw(closure.0.cast_mut().cast::<EventHandler>()) };
    drop(guard(|| drop(handler)));
}

/// Where this copy's log goes. A library has one module, and all its hosts are one program's.
static LOG: AtomicPtr<HostCalls> = AtomicPtr::new(core::ptr::null_mut());

fn forward_log(host: &'static HostCalls, name: &'static str) {
    // A module that was adopted from this very copy writes to the host's log as it is.
    if core::ptr::eq(host, super::host::calls()) || core::ptr::eq(host, super::near::calls()) {
        return;
    }
    LOG.store(core::ptr::from_ref(host).cast_mut(), Ordering::Release);
    // Another instance of this library has done it already, or the module has a logger of its own.
    if log::set_boxed_logger(Box::new(Forward { name })).is_ok() {
        log::set_max_level(log::LevelFilter::Trace);
    }
}

struct Forward {
    name: &'static str,
}

impl Forward {
    fn host(&self) -> Option<&'static HostCalls> {
        // SAFETY: it is null or was stored by `forward_log`.
        unsafe { LOG.load(Ordering::Acquire).as_ref() }
    }
}

impl log::Log for Forward {
    fn enabled(&self, metadata: &log::Metadata<'_>) -> bool {
        self.host().is_some_and(|host| (host.enabled)(metadata.level() as usize))
    }

    fn log(&self, record: &log::Record<'_>) {
        let Some(host) = self.host().filter(|_| self.enabled(record.metadata())) else { return };
        let text = record.args().to_string();
        let line = Line { module: self.name, target: record.target(), level: record.level() as usize, text: &text };
        // SAFETY: the line is there for the call.
        unsafe { (host.log)(&line) };
    }

    fn flush(&self) {}
}

impl Remote {
    pub(crate) fn fail(&self, cx: &Context, error: &ModuleError) {
        let mut bytes = Vec::new();
        fault::write_module(error, &mut bytes);
        // SAFETY: the context is the host's, and its call is under way.
        unsafe { (self.host.fail)(cx, &bytes) };
    }

    pub(crate) fn respond(&self, to: &mut Option<Response>, response: &Response) {
        // SAFETY: the place is the host's.
        unsafe { (self.host.respond)(to, Answer::of(response)) };
    }

    /// How long whoever has called the module still waits.
    pub(crate) fn time_left(&self) -> Option<Duration> {
        // SAFETY: the end is this one's.
        unsafe { (self.host.time_left)(self.end) }
    }

    /// The event that the host delivers.
    pub(crate) fn lend<'a>(&self, delivery: &'a Delivery<'_>) -> Crossing<'a> {
        // SAFETY: the delivery is the host's.
        unsafe { (self.host.lend)(delivery) }
    }

    /// Asks for something that may fail; `false` or nothing says that it has.
    fn ask<T>(&self, ask: impl FnOnce(&mut dyn Sink) -> Option<T>) -> IpcResult<T> {
        let mut error = Vec::new();
        ask(&mut error).ok_or_else(|| fault::read(&error))
    }
}

impl Host for Remote {
    fn config(&self, place: &Place, key: &str) -> Option<&str> {
        // SAFETY: the place is the host's. A runtime keeps its configuration as long as it lives, and a call of it, whose
        // context lends this, is under way.
        unsafe { (self.host.config)(self.end, place, key).map(|value| &*value) }
    }

    fn log(&self, place: &Place, level: log::Level, text: fmt::Arguments<'_>) {
        let text = text.to_string();
        let line = Line { module: place.name, target: place.name, level: level as usize, text: &text };
        // SAFETY: the line is there for the call.
        unsafe { (self.host.log)(&line) };
    }

    fn publish(&self, _: Option<&Context>, event: &Delivery<'_>) -> PublishResult {
        let mut error = Vec::new();
        let crossing = event.crossing();
        // SAFETY: a delivery of this copy's says truly what it lends.
        let outcome = unsafe { (self.host.publish)(self.end, &crossing, &mut error) };
        let first_error = outcome.module.map(|module| (module, fault::read_module(&error)));
        PublishResult {
            handled: outcome.handled,
            ignored: outcome.ignored,
            deferred: outcome.deferred,
            queued: outcome.queued,
            failed: outcome.failed,
            dropped: outcome.dropped,
            paused: outcome.paused,
            first_error,
        }
    }

    fn subscribe(&self, owner: Option<&Place>, subscription: EventSubscription) -> IpcResult<SubscriptionId> {
        let EventSubscription { name, topics, handler, priority } = subscription;
        let topics: Vec<Topic<'_>> = topics
            .iter()
            .map(|topic| match topic.hears() {
                Hears::Type { topic, name, shape, .. } => Topic::Type { topic, name, shape },
                Hears::Named(name) => Topic::Named(name),
                Hears::All => Topic::All,
            })
            .collect();
        let closure = GuestClosure(Box::into_raw(Box::new(handler)).cast_const().cast());
        let crossing = Subscription { name, topics: &topics, priority: priority.0, closure, ear: EARS };
        // SAFETY: the place, if any, is the host's; the closure is the host's from here on.
        let id = self.ask(|error| unsafe { (self.host.subscribe)(self.end, owner, &crossing, error) })?;
        Ok(SubscriptionId(id))
    }

    fn unsubscribe(&self, subscription: SubscriptionId) -> IpcResult<()> {
        // SAFETY: the end is this one's.
        self.ask(|error| unsafe { (self.host.unsubscribe)(self.end, subscription.0, error) }.then_some(()))
    }

    fn resolve(&self, target: &str, request: &str) -> IpcResult<Route> {
        // SAFETY: the end is this one's.
        self.ask(|error| unsafe { (self.host.resolve)(self.end, target, request, error) }).map(Route)
    }

    fn agree(&self, route: Route, codec: &Codec) -> IpcResult<()> {
        // SAFETY: the end is this one's.
        self.ask(|error| unsafe { (self.host.agree)(self.end, route.0, codec, error) }.then_some(()))
    }

    fn call_directly(&self, _: Option<&Context>, _: &To<'_>, _: &mut TypedCall<'_>) -> Direct {
        Direct::Not
    }

    fn call(&self, _: Option<&Context>, route: Route, call: &mut Call<'_, '_>) -> IpcResult<()> {
        let asked = Asked { route: route.0, request: call.request, timeout: call.timeout };
        let in_bytes = |args: &[u8], reply: &mut dyn Sink| {
            // SAFETY: the end is this one's.
            self.ask(|error| unsafe { (self.host.call)(self.end, &asked, args, reply, error) }.then_some(()))
        };
        match call.carries {
            Carries::Typed(typed) => {
                let mut reply = Spill::new();
                in_bytes(typed.encode().bytes(), &mut reply)?;
                if typed.decode(reply.bytes()) {
                    return Ok(());
                }
                let (request, expected) = (String::from(call.request), typed.codec().reply());
                Err(IpcError::Malformed { what: "reply", request, expected })
            }
            Carries::Bytes { args, reply } => in_bytes(args, *reply),
            Carries::Raw { request, response } => {
                let mut take = |answer: Answer<'_>| *response = Some(answer.to_response());
                // SAFETY: the end is this one's.
                let ask = |error: &mut dyn Sink| unsafe {
                    (self.host.request)(self.end, &asked, request, &mut take, error).then_some(())
                };
                self.ask(ask)
            }
        }
    }

    fn handle(&self) -> Handle {
        Handle::new(self.this.clone())
    }
}
