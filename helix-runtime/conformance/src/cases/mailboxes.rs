//! Requests that wait until `poll` asks them.

use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use helix_runtime::prelude::*;
use helix_runtime::{IpcResult, MessageId, MessagePriority, ReplyHandler, Runtime};

use crate::Placement;
use crate::modules::{CALLER, SERVER};
use crate::stage::{Ear, id, plain, says, started};

/// What becomes of the next message.
fn reply() -> (ReplyHandler, Receiver<IpcResult<Response>>) {
    let (sender, receiver) = channel();
    (Box::new(move |answer| sender.send(answer).unwrap()), receiver)
}

fn echo(text: &str) -> Request {
    Request::new("echo").with_payload(text)
}

fn queue(runtime: &Runtime, request: Request) -> IpcResult<MessageId> {
    runtime.router().queue("server", request)
}

pub(super) fn the_highest_priority_first_then_first_come(placement: &dyn Placement) {
    let runtime = plain(placement, &[SERVER]);
    let ear = Ear::on(&runtime, &[]);
    for (text, priority) in [
        ("low", MessagePriority::Low),
        ("first", MessagePriority::Normal),
        ("critical", MessagePriority::Critical),
        ("second", MessagePriority::Normal),
        ("high", MessagePriority::High),
    ] {
        queue(&runtime, echo(text).with_priority(priority)).unwrap();
    }
    assert_eq!(ear.take(), [""; 0], "nothing is asked before poll");
    let polled = runtime.poll(Duration::ZERO);
    assert_eq!((polled.messages, polled.expired), (5, 0));
    let order = ["critical", "high", "first", "second", "low"];
    assert_eq!(ear.take(), order.map(|text| format!(r#"server: "{text}" from """#)));
}

pub(super) fn the_answer_goes_to_the_reply_handler(placement: &dyn Placement) {
    let runtime = plain(placement, &[SERVER, CALLER]);
    let router = runtime.router();
    let (handler, answer) = reply();
    router.queue_with("geometry", Request::new("add").with_payload([2, 3]), handler).unwrap();
    let (handler, failure) = reply();
    router.queue_with(id(&runtime, "server"), Request::new("add").with_payload([2]), handler).unwrap();
    assert_eq!(router.process_mailbox("server"), Ok(2));
    assert_eq!(answer.try_recv(), Ok(Ok(Response::ok([5]))));
    says(failure.try_recv().unwrap(), "arguments of `server.add`: found bytes that are not (u64,u64)");
    assert_eq!(runtime.poll(Duration::ZERO).messages, 0);
}

pub(super) fn what_can_be_known_already_is_refused_at_once(placement: &dyn Placement) {
    let runtime = plain(placement, &[SERVER]);
    let router = runtime.router();
    says(router.queue("nobody", echo("x")), "no module or service is called `nobody`");
    assert!(matches!(router.queue("server", Request::new("x")), Err(IpcError::RequestNotFound { .. })));
    assert_eq!(runtime.poll(Duration::ZERO).messages, 0);
}

pub(super) fn a_full_box_refuses_and_counts(placement: &dyn Placement) {
    let runtime = started(placement, Runtime::builder().mailbox_capacity(2), &[SERVER]);
    let ear = Ear::on(&runtime, &[]);
    queue(&runtime, echo("one")).unwrap();
    queue(&runtime, echo("two")).unwrap();
    let (handler, answer) = reply();
    let full = runtime.router().queue_with("server", echo("three").with_priority(MessagePriority::Critical), handler);
    let channel = "the mailbox of `server`".to_string();
    assert_eq!(full, Err(IpcError::ChannelFull { channel, capacity: 2 }));
    says(full, "the mailbox of `server` is full: it holds 2; send less, or again later");
    assert!(answer.try_recv().is_err(), "whose message is refused is told by that, and not again");
    let stats = &runtime.router().stats()[0];
    assert_eq!((stats.name, stats.waiting, stats.capacity, stats.queued, stats.refused), ("server", 2, 2, 2, 1));
    assert_eq!(runtime.poll(Duration::ZERO).messages, 2);
    assert_eq!(ear.take(), [r#"server: "one" from """#, r#"server: "two" from """#]);
    queue(&runtime, echo("four")).unwrap();
}

pub(super) fn who_waits_too_long_is_told(placement: &dyn Placement) {
    let runtime = started(placement, Runtime::builder(), &[SERVER]);
    let ear = Ear::on(&runtime, &[]);
    let (handler, late) = reply();
    runtime.poll(Duration::from_millis(100));
    let timeout = Duration::from_millis(10);
    runtime.router().queue_with("server", echo("late").with_timeout(timeout), handler).unwrap();
    let (handler, in_time) = reply();
    let patient = echo("in time").with_timeout(timeout * 2).with_priority(MessagePriority::Low);
    runtime.router().queue_with("server", patient, handler).unwrap();
    let polled = runtime.poll(Duration::from_millis(110));
    assert_eq!((polled.expired, polled.messages), (1, 1));
    let told = late.try_recv().unwrap();
    assert_eq!(told, Err(IpcError::Timeout { target: "server".into(), waited: timeout }));
    assert_eq!(in_time.try_recv(), Ok(Ok(Response::ok(b"in time"))));
    assert_eq!(ear.take(), [r#"server: "in time" from """#]);
    assert_eq!(runtime.router().stats()[0].expired, 1);
}

pub(super) fn what_waits_for_a_module_that_goes_is_closed(placement: &dyn Placement) {
    let runtime = plain(placement, &[SERVER]);
    let (handler, removed) = reply();
    runtime.router().queue_with("server", echo("x"), handler).unwrap();
    runtime.remove(id(&runtime, "server")).unwrap();
    assert_eq!(removed.try_recv(), Ok(Err(IpcError::Closed)));

    let runtime = plain(placement, &[SERVER]);
    let (handler, ended) = reply();
    runtime.router().queue_with("server", echo("x"), handler).unwrap();
    drop(runtime);
    assert_eq!(ended.try_recv(), Ok(Err(IpcError::Closed)));
}
