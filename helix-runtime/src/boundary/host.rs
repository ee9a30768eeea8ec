//! The host's end: the functions behind the table, each by what any handle of this copy can do.

use alloc::boxed::Box;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::time::Duration;

use super::crossing::{Crossing, publish as publish_crossing};
use super::{
    Answer, Asked, EarCalls, GuestCalls, GuestClosure, HostCalls, HostEnd, Line, Outcome, Remote, Subscription, Topic,
    fault,
};
use crate::bus::{EventSubscription, EventTopic};
use crate::codec::Codec;
use crate::context::Context;
use crate::descriptor::Status;
use crate::erase::guard;
use crate::error::{IpcError, IpcResult, ModuleError};
use crate::event::{Delivery, Event, EventResponse, Publish, SubscriptionPriority};
use crate::handle::Handle;
use crate::host::{Call, Carries, Deliver, Host, Route};
use crate::message::Sink;
use crate::place::Place;
use crate::request::{Request, Response};

static CALLS: HostCalls = HostCalls {
    release,
    fail,
    respond,
    lend,
    time_left,
    config,
    log,
    enabled,
    publish,
    subscribe,
    unsubscribe,
    resolve,
    agree,
    call,
    request,
};

/// The table of this copy.
pub(super) fn calls() -> &'static HostCalls {
    &CALLS
}

/// An instance of a guest that is there. Dropping it takes the instance's means to ask away.
pub(crate) struct Attached {
    guest: &'static GuestCalls,
    remote: *mut Remote,
}

// SAFETY: behind the pointer is an `Arc` of the guest's, of a type that is both.
unsafe impl Send for Attached {}
// SAFETY: as above.
unsafe impl Sync for Attached {}

impl Drop for Attached {
    fn drop(&mut self) {
        // SAFETY: it came from `attach`, and goes back once.
        unsafe { (self.guest.detach)(self.remote) };
    }
}

/// The host's end of an instance that asks the host behind a handle.
pub(super) fn end(handle: Handle) -> HostEnd {
    HostEnd(Box::into_raw(Box::new(handle)).cast_const().cast())
}

/// Takes note that an instance has ended by itself.
///
/// # Safety
/// The end is one that `end` gave, and `release` has not come yet.
pub(super) unsafe fn ended(end: HostEnd, instance: usize, error: ModuleError) {
    // SAFETY: passed on. A host that is gone needs no note of it.
    let _ = unsafe {
        with(end, |host, _| {
            host.ended(instance, error);
            Ok(())
        })
    };
}

/// Runs with the module of an instance entered, in its turn. Whether it came to that.
///
/// # Safety
/// As above.
pub(super) unsafe fn in_turn(end: HostEnd, instance: usize, run: Deliver<'_>) -> bool {
    // SAFETY: passed on. A host that is gone has nothing to deliver.
    unsafe { with(end, |host, _| Ok(host.in_turn(instance, run))) }.unwrap_or(false)
}

/// Gives an instance of a guest what its contexts are to ask.
pub(super) fn attach(guest: &'static GuestCalls, calls: &'static HostCalls, end: HostEnd, place: &Place) -> Attached {
    // SAFETY: the guest was adopted, and gives the end back.
    let remote = unsafe { (guest.attach)(calls, end, place.name) };
    place.ask(remote);
    Attached { guest, remote }
}

unsafe fn release(end: HostEnd) {
    // SAFETY: `attach` made it so, and it comes back once.
    drop(unsafe { Box::from_raw(end.0.cast_mut().cast::<Handle>()) });
}

/// Runs with the host behind an end; what panics in it does not reach the guest.
///
/// # Safety
/// The end is one that `attach` gave, and `release` has not come yet.
unsafe fn with<T>(end: HostEnd, run: impl FnOnce(&dyn Host, Option<&Context>) -> IpcResult<T>) -> IpcResult<T> {
    // SAFETY: passed on.
    let handle = unsafe { &*end.0.cast::<Handle>() };
    match guard(|| handle.with(run)) {
        Ok(result) => result?,
        Err(message) => {
            let error = Box::new(ModuleError::Panicked { module: "helix".to_string(), message });
            Err(IpcError::Failed { module: "helix".into(), request: "host".into(), error })
        }
    }
}

fn told<T>(result: IpcResult<T>, error: &mut dyn Sink) -> Option<T> {
    result.map_err(|failed| fault::write(&failed, error)).ok()
}

pub(super) unsafe fn fail(cx: &Context, error: &[u8]) {
    cx.fail_here(fault::read_module(error));
}

pub(super) unsafe fn respond(to: &mut Option<Response>, answer: Answer<'_>) {
    *to = Some(answer.to_response());
}

pub(super) unsafe fn lend<'a>(delivery: &'a Delivery<'_>) -> Crossing<'a> {
    delivery.crossing()
}

unsafe fn time_left(end: HostEnd) -> Option<Duration> {
    // SAFETY: passed on. For a host that is gone nobody waits.
    let left = unsafe { with(end, |_, from| Ok(from.and_then(Context::time_left_here))) };
    left.unwrap_or(Some(Duration::ZERO))
}

unsafe fn config(end: HostEnd, place: &Place, key: &str) -> Option<*const str> {
    // SAFETY: passed on.
    let value = unsafe { with(end, |host, _| Ok(host.config(place, key).map(core::ptr::from_ref))) };
    value.ok().flatten()
}

fn level_of(level: usize) -> log::Level {
    log::Level::iter().find(|known| *known as usize == level).unwrap_or(log::Level::Error)
}

pub(super) fn enabled(level: usize) -> bool {
    level_of(level) <= log::max_level()
}

pub(super) unsafe fn log(line: &Line<'_>) {
    let write = || {
        let mut record = log::Record::builder();
        record.level(level_of(line.level)).target(line.module).module_path(Some(line.target));
        log::logger().log(&record.args(format_args!("{}", line.text)).build());
    };
    if enabled(line.level) {
        // A logger that panics does so for the module's line, and nobody is to answer for it.
        drop(guard(write));
    }
}

unsafe fn publish(end: HostEnd, event: &Crossing<'_>, error: &mut dyn Sink) -> Outcome {
    // SAFETY: the guest's delivery says truly what it lends; the rest is passed on.
    let result = unsafe { with(end, |host, from| Ok(publish_crossing(host, from, event))) };
    let result = result.unwrap_or_else(|failed| {
        let mut result = crate::PublishResult::default();
        result.fail("helix", failed.into());
        result
    });
    if let Some((_, first)) = &result.first_error {
        fault::write_module(first, error);
    }
    Outcome {
        handled: result.handled,
        ignored: result.ignored,
        deferred: result.deferred,
        queued: result.queued,
        failed: result.failed,
        dropped: result.dropped,
        paused: result.paused,
        module: result.first_error.map(|(module, _)| module),
    }
}

/// A guest's closure, which goes with the host's.
struct Ear {
    calls: &'static EarCalls,
    closure: GuestClosure,
}

impl Drop for Ear {
    fn drop(&mut self) {
        // SAFETY: it was given by `subscribe`, and goes back once.
        unsafe { (self.calls.forget)(self.closure) };
    }
}

impl Ear {
    fn hear(&self, event: &Event) -> EventResponse {
        let mut error = Vec::new();
        // SAFETY: the closure is there until this ear is dropped; a delivery of this copy's says truly what it lends.
        let hear =
            |delivery: &Delivery<'_>| unsafe { (self.calls.hear)(self.closure, &delivery.crossing(), &mut error) };
        match event.deliver(hear) {
            Status::Handled => EventResponse::Handled,
            Status::Ignored => EventResponse::Ignored,
            Status::Deferred => EventResponse::Deferred,
            Status::Panicked => std::panic::resume_unwind(Box::new(String::from_utf8_lossy(&error).into_owned())),
            _ => EventResponse::Error(fault::read_module(&error)),
        }
    }
}

unsafe fn subscribe(
    end: HostEnd,
    owner: Option<&Place>,
    subscription: &Subscription<'_>,
    error: &mut dyn Sink,
) -> Option<u32> {
    let ear = Ear { calls: subscription.ear, closure: subscription.closure };
    let topics = subscription.topics.iter().map(|topic| match topic {
        Topic::Type { topic, name, shape } => EventTopic::from_abroad(topic, name, *shape),
        Topic::Named(name) => EventTopic::Custom(name.to_string().into()),
        Topic::All => EventTopic::All,
    });
    let handler = Box::new(move |event: &Event| ear.hear(event));
    let made = EventSubscription::new(subscription.name, topics.collect(), handler);
    let made = made.with_priority(SubscriptionPriority(subscription.priority));
    // SAFETY: passed on.
    let id = unsafe { with(end, |host, _| host.subscribe(owner, made)) };
    told(id, error).map(|id| id.0)
}

unsafe fn unsubscribe(end: HostEnd, id: u32, error: &mut dyn Sink) -> bool {
    // SAFETY: passed on.
    let done = unsafe { with(end, |host, _| host.unsubscribe(crate::bus::SubscriptionId(id))) };
    told(done, error).is_some()
}

unsafe fn resolve(end: HostEnd, target: &str, request: &str, error: &mut dyn Sink) -> Option<u32> {
    // SAFETY: passed on.
    let route = unsafe { with(end, |host, _| host.resolve(target, request)) };
    told(route, error).map(|route| route.0)
}

unsafe fn agree(end: HostEnd, route: u32, codec: &Codec, error: &mut dyn Sink) -> bool {
    // SAFETY: passed on.
    let agreed = unsafe { with(end, |host, _| host.agree(Route(route), codec)) };
    told(agreed, error).is_some()
}

unsafe fn call(end: HostEnd, asked: &Asked<'_>, args: &[u8], reply: &mut dyn Sink, error: &mut dyn Sink) -> bool {
    let mut carries = Carries::Bytes { args, reply };
    let mut call = Call { request: asked.request, timeout: asked.timeout, carries: &mut carries };
    // SAFETY: passed on.
    let done = unsafe { with(end, |host, from| host.call(from, Route(asked.route), &mut call)) };
    told(done, error).is_some()
}

unsafe fn request(
    end: HostEnd,
    asked: &Asked<'_>,
    request: &Request,
    answer: &mut dyn FnMut(Answer<'_>),
    error: &mut dyn Sink,
) -> bool {
    let mut carries = Carries::Raw { request: request.clone(), response: None };
    let mut call = Call { request: asked.request, timeout: asked.timeout, carries: &mut carries };
    // SAFETY: passed on.
    let done = unsafe { with(end, |host, from| host.call(from, Route(asked.route), &mut call)) };
    if told(done, error).is_none() {
        return false;
    }
    if let Carries::Raw { response: Some(response), .. } = &carries {
        answer(Answer::of(response));
    }
    true
}
