//! The table of host functions of a process: each asks in a message.

use alloc::boxed::Box;
use alloc::string::ToString;
use alloc::sync::Weak;
use alloc::vec::Vec;
use core::sync::atomic::Ordering;
use core::time::Duration;

use super::{Ear, Near, locked};
use crate::boundary::crossing::Crossing;
use crate::boundary::wire::{self, Bytes, Told, Up};
use crate::boundary::{Answer, Asked, HostCalls, HostEnd, Outcome, Subscription, Topic, fault, host};
use crate::codec::Codec;
use crate::error::{IpcError, ModuleError};
use crate::message::{Sink, decode};
use crate::place::Place;
use crate::request::{Request, Response};

/// The table of a process.
pub(super) static CALLS: HostCalls = HostCalls {
    release,
    fail: host::fail,
    respond: host::respond,
    lend: host::lend,
    time_left,
    config,
    log: host::log,
    enabled: host::enabled,
    publish,
    subscribe,
    unsubscribe,
    resolve,
    agree,
    call,
    request,
};

/// The table of this copy's processes.
pub(in crate::boundary) fn calls() -> &'static HostCalls {
    &CALLS
}

unsafe fn release(end: HostEnd) {
    // SAFETY: `create` made it so, and it comes back once.
    drop(unsafe { Box::from_raw(end.0.cast_mut().cast::<Weak<Near>>()) });
}

/// Asks, and reads the answer; what went wrong is written into `error`.
///
/// # Safety
/// The end is one that `create` gave, and `release` has not come yet.
unsafe fn ask<T>(
    end: HostEnd,
    up: &Up<'_>,
    error: &mut dyn Sink,
    read: impl FnOnce(Told<'_>) -> Option<T>,
) -> Option<T> {
    // SAFETY: passed on.
    let near = unsafe { &*end.0.cast::<Weak<Near>>() }.upgrade();
    let answer = near.map(|near| near.ask(up)).unwrap_or_default();
    match decode(&answer) {
        Some(Told::Failed { error: Bytes(failed), .. }) => {
            error.put(failed);
            None
        }
        Some(told) => read(told),
        None => {
            fault::write(&IpcError::Closed, error);
            None
        }
    }
}

unsafe fn time_left(end: HostEnd) -> Option<Duration> {
    let read = |told: Told<'_>| match told {
        Told::Left(left) => Some(left),
        _ => None,
    };
    // SAFETY: passed on. For a host that is gone nobody waits.
    unsafe { ask(end, &Up::TimeLeft, &mut Vec::new(), read) }.unwrap_or(Some(Duration::ZERO))
}

unsafe fn config(end: HostEnd, _: &Place, key: &str) -> Option<*const str> {
    // SAFETY: passed on. Each value is kept for good: who holds one may do so as long as the module lives.
    unsafe {
        ask(end, &Up::Config { key }, &mut Vec::new(), |told| match told {
            Told::Text(value) => value.map(|value| core::ptr::from_ref(fault::intern(value))),
            _ => None,
        })
    }
}

unsafe fn publish(end: HostEnd, event: &Crossing<'_>, error: &mut dyn Sink) -> Outcome {
    let mut bytes = Vec::new();
    let up = Up::Publish(wire::Event::of(event, &mut bytes));
    let mut refused = Vec::new();
    // SAFETY: passed on.
    let outcome = unsafe {
        ask(end, &up, &mut refused, |told| match told {
            Told::Published { counts, paused, module, error: Bytes(first) } => {
                error.put(first);
                let [handled, ignored, deferred, queued, failed, dropped] = counts;
                let module = module.map(fault::intern);
                Some(Outcome { handled, ignored, deferred, queued, failed, dropped, paused, module })
            }
            _ => None,
        })
    };
    outcome.unwrap_or_else(|| {
        fault::write_module(&ModuleError::Ipc(fault::read(&refused)), error);
        Outcome { failed: 1, module: Some("helix"), ..Outcome::default() }
    })
}

unsafe fn subscribe(
    end: HostEnd,
    owner: Option<&Place>,
    subscription: &Subscription<'_>,
    error: &mut dyn Sink,
) -> Option<u32> {
    let ear = Ear { closure: subscription.closure, calls: subscription.ear };
    // SAFETY: passed on.
    let near = unsafe { &*end.0.cast::<Weak<Near>>() }.upgrade();
    let Some(near) = near else {
        // SAFETY: nobody has heard of it.
        unsafe { (ear.calls.forget)(ear.closure) };
        fault::write(&IpcError::Closed, error);
        return None;
    };
    let closure = near.next_ear.fetch_add(1, Ordering::Relaxed);
    locked(&near.ears).insert(closure, ear);
    let topics = subscription.topics.iter().map(|topic| match *topic {
        Topic::Type { topic, name, shape } => wire::Topic::Type { topic, name, shape },
        Topic::Named(name) => wire::Topic::Named(name),
        Topic::All => wire::Topic::All,
    });
    let up = Up::Subscribe {
        name: subscription.name,
        topics: topics.collect(),
        priority: subscription.priority,
        closure,
        owned: owner.is_some(),
    };
    // SAFETY: passed on. A host that refuses forgets the closure by itself.
    unsafe { ask(end, &up, error, number) }
}

fn number(told: Told<'_>) -> Option<u32> {
    match told {
        Told::Number(number) => Some(number),
        _ => None,
    }
}

fn is_done(told: Told<'_>) -> Option<()> {
    matches!(told, Told::Done).then_some(())
}

unsafe fn unsubscribe(end: HostEnd, subscription: u32, error: &mut dyn Sink) -> bool {
    // SAFETY: passed on.
    unsafe { ask(end, &Up::Unsubscribe { subscription }, error, is_done) }.is_some()
}

unsafe fn resolve(end: HostEnd, target: &str, request: &str, error: &mut dyn Sink) -> Option<u32> {
    // SAFETY: passed on.
    unsafe { ask(end, &Up::Resolve { target, request }, error, number) }
}

unsafe fn agree(end: HostEnd, route: u32, codec: &Codec, error: &mut dyn Sink) -> bool {
    let up = Up::Agree { route, args: codec.args(), reply: codec.reply() };
    // SAFETY: passed on.
    unsafe { ask(end, &up, error, is_done) }.is_some()
}

unsafe fn call(end: HostEnd, asked: &Asked<'_>, args: &[u8], reply: &mut dyn Sink, error: &mut dyn Sink) -> bool {
    let up = Up::Call { route: asked.route, request: asked.request, timeout: asked.timeout, args: Bytes(args) };
    let mut full = false;
    // SAFETY: passed on.
    let replied = unsafe {
        ask(end, &up, error, |told| match told {
            Told::Reply(Bytes(bytes)) => {
                full = !reply.put(bytes);
                (!full).then_some(())
            }
            _ => None,
        })
    };
    if full {
        let request = asked.request.to_string();
        fault::write(&IpcError::BufferFull { request }, error);
    }
    replied.is_some()
}

unsafe fn request(
    end: HostEnd,
    asked: &Asked<'_>,
    request: &Request,
    answer: &mut dyn FnMut(Answer<'_>),
    error: &mut dyn Sink,
) -> bool {
    let up = Up::Request { route: asked.route, timeout: asked.timeout, letter: wire::Letter::of(request) };
    // SAFETY: passed on.
    let response: Option<Response> = unsafe {
        ask(end, &up, error, |told| match told {
            Told::Response(answer) => Some(answer.to_response()),
            _ => None,
        })
    };
    if let Some(response) = &response {
        answer(Answer::of(response));
    }
    response.is_some()
}
