//! Who hears an event, in which order, and what becomes of it when nobody can take it.

use std::time::Duration;

use helix_runtime::prelude::*;
use helix_runtime::{EventSubscription, EventTopic, ModuleState, PublishResult, Runtime, SubscriptionPriority};

use crate::Placement;
use crate::contract::{Link, Packet, line};
use crate::modules::{EARLY, ECHO, FIRST, LATE, LATER, LOG, SECOND, SNIFFER, SUBSCRIBER, TROUBLED};
use crate::stage::{Ear, Gate, id, plain, says, started, states};

fn tick(tick_number: u64) -> Tick {
    Tick { timestamp_ns: 1000, tick_number }
}

fn handled(handled: u32) -> PublishResult {
    PublishResult { handled, ..PublishResult::default() }
}

/// A closure that says its name when the timer ticks.
fn closure(runtime: &Runtime, name: &'static str, priority: SubscriptionPriority) -> helix_runtime::SubscriptionId {
    let handle = runtime.handle();
    let handler = Box::new(move |_: &Event| match handle.publish(&line(name, "tick")) {
        Ok(_) => EventResponse::Handled,
        Err(error) => EventResponse::Error(error.into()),
    });
    let subscription = EventSubscription::new(name, vec![EventTopic::Tick], handler).with_priority(priority);
    runtime.subscribe(subscription).unwrap()
}

pub(super) fn priority_then_first_come(placement: &dyn Placement) {
    let runtime = plain(placement, &[LATE, FIRST, SECOND, EARLY]);
    let ear = Ear::on(&runtime, &[]);
    closure(&runtime, "closure", SubscriptionPriority::NORMAL);
    closure(&runtime, "high closure", SubscriptionPriority::HIGH);
    closure(&runtime, "first after seven", SubscriptionPriority(6));
    closure(&runtime, "last of all", SubscriptionPriority::LOWEST);
    assert_eq!(runtime.publish(&tick(3)), handled(9));
    assert_eq!(
        ear.take(),
        [
            "early: tick",
            "high closure: tick",
            "second: seventh",
            "first after seven: tick",
            "first: tick 3 at 1000",
            "second: 1 ticks",
            "closure: tick",
            "late: tick",
            "last of all: tick",
        ]
    );
}

pub(super) fn a_type_a_topic_a_name_and_everything_are_heard(placement: &dyn Placement) {
    let runtime = plain(placement, &[SNIFFER]);
    let ear = Ear::on(&runtime, &[]);
    assert_eq!(runtime.publish(&Packet { number: 7 }), handled(3));
    assert_eq!(ear.take(), ["sniffer: packet 7", "sniffer: net: net.packet None None", "sniffer: all: net/net.packet"]);
    assert_eq!(runtime.publish(&Link { packets: 2 }), handled(3));
    assert_eq!(
        ear.take(),
        ["sniffer: net: net.link Some(2) None", "sniffer: net.link: net.link", "sniffer: all: net/net.link"]
    );
    // Bytes under that name are not the type of that name, and of no topic but their name.
    assert_eq!(runtime.publish(&Event::from(Custom::new("net.packet", [7]))), handled(1));
    assert_eq!(ear.take(), ["sniffer: all: net.packet/net.packet"]);
    assert_eq!(runtime.publish(&Event::from(Custom::new("net", [7]))), handled(2));
    assert_eq!(ear.take(), ["sniffer: net: net None Some([7])", "sniffer: all: net/net"]);
}

pub(super) fn a_topic_groups_events_that_keep_their_values(placement: &dyn Placement) {
    let runtime = plain(placement, &[FIRST]);
    let ear = Ear::on(&runtime, &[]);
    assert_eq!(runtime.publish(&ProcessCreated { pid: 4 }), handled(1));
    assert_eq!(runtime.publish(&ProcessExited { pid: 4, code: -1 }), handled(2));
    let event = Event::from(ProcessExited { pid: u64::MAX, code: 0 });
    assert_eq!(runtime.publish(&event), handled(2), "as the enum it is the same event");
    assert_eq!(
        ear.take(),
        [
            "first: process.created",
            "first: process.exited",
            "first: 4 exited with -1",
            "first: process.exited",
            "first: 18446744073709551615 exited with 0",
        ]
    );
}

pub(super) fn failures_and_ignorance_are_counted_apart(placement: &dyn Placement) {
    let runtime = plain(placement, &[TROUBLED, FIRST]);
    assert_eq!(runtime.publish(&tick(0)), handled(2));
    assert_eq!(runtime.publish(&tick(1)), PublishResult { ignored: 1, ..handled(1) });
    let failed = runtime.publish(&tick(2));
    let first_error = Some(("troubled", ModuleError::new("two is wrong")));
    assert_eq!(failed, PublishResult { failed: 1, first_error, ..handled(1) });
    assert_eq!((failed.is_clean(), failed.missed()), (false, 1));
    assert_eq!(runtime.publish(&tick(0)), handled(2), "an error is no end");
}

pub(super) fn what_is_deferred_is_redelivered_by_poll(placement: &dyn Placement) {
    let runtime = plain(placement, &[LATER]);
    let ear = Ear::on(&runtime, &[]);
    for number in 1..=3 {
        assert_eq!(runtime.publish(&Packet { number }), PublishResult { deferred: 1, ..handled(0) });
    }
    assert!(runtime.has_work());
    assert_eq!(runtime.poll(Duration::ZERO).redelivered, 3);
    assert_eq!(ear.take(), ["later: packet 1", "later: packet 2", "later: packet 3"]);
    assert_eq!(runtime.poll(Duration::ZERO).redelivered, 0);
    assert!(!runtime.has_work());
}

pub(super) fn too_much_that_is_deferred_is_counted_as_dropped(placement: &dyn Placement) {
    let runtime = started(placement, Runtime::builder().ring_capacity(2), &[LATER]);
    let ear = Ear::on(&runtime, &[]);
    let results: Vec<_> = (1..=3).map(|number| runtime.publish(&Packet { number })).collect();
    let deferred = PublishResult { deferred: 1, ..handled(0) };
    assert_eq!(results, [deferred.clone(), deferred, PublishResult { dropped: 1, ..handled(0) }]);
    assert_eq!((results[2].missed(), results[2].is_clean()), (1, false));
    assert_eq!(runtime.poll(Duration::ZERO).redelivered, 2);
    assert_eq!(ear.take(), ["later: packet 1", "later: packet 2"]);
}

pub(super) fn what_reaches_a_module_busy_in_the_same_chain_comes_in_order_when_it_is_released(
    placement: &dyn Placement,
) {
    let runtime = plain(placement, &[ECHO]);
    let ear = Ear::on(&runtime, &[]);
    assert_eq!(runtime.publish(&Link { packets: 3 }), handled(1));
    assert_eq!(ear.take(), ["echo: 3 queued, 0 dropped", "echo: packet 1", "echo: packet 2", "echo: packet 3"]);
    assert_eq!(runtime.poll(Duration::ZERO).redelivered, 0, "nothing is left for poll");
}

pub(super) fn a_full_ring_is_counted_as_dropped(placement: &dyn Placement) {
    let runtime = started(placement, Runtime::builder().ring_capacity(2), &[ECHO]);
    let ear = Ear::on(&runtime, &[]);
    assert_eq!(runtime.publish(&Link { packets: 5 }), handled(1));
    assert_eq!(ear.take(), ["echo: 2 queued, 3 dropped", "echo: packet 1", "echo: packet 2"]);
    assert_eq!(runtime.publish(&Link { packets: 1 }), handled(1), "there is room again");
    assert_eq!(ear.take(), ["echo: 1 queued, 0 dropped", "echo: packet 1"]);
}

pub(super) fn who_publishes_to_a_module_that_another_thread_is_in_waits_for_it(placement: &dyn Placement) {
    let runtime = plain(placement, &[ECHO]);
    let gate = Gate::new(&runtime, 100, "gate");
    std::thread::scope(|scope| {
        let held = scope.spawn(|| runtime.call::<(), u64>("echo.hold", ()));
        gate.arrived();
        let published = scope.spawn(|| runtime.publish(&Packet { number: 1 }));
        gate.open();
        assert_eq!(held.join().unwrap(), Ok(0));
        assert_eq!(published.join().unwrap(), handled(1));
    });
    assert_eq!(runtime.call::<(), u64>("echo.packets", ()), Ok(1));
}

pub(super) fn a_subscription_is_paused_resumed_and_ended(placement: &dyn Placement) {
    let runtime = plain(placement, &[FIRST]);
    let ear = Ear::on(&runtime, &[]);
    let bus = runtime.bus();
    let subscription = closure(&runtime, "closure", SubscriptionPriority::HIGH);
    bus.pause(subscription).unwrap();
    bus.pause(subscription).unwrap();
    assert_eq!(bus.publish(&tick(1)), handled(1));
    assert_eq!(ear.take(), ["first: tick 1 at 1000"]);
    bus.resume(subscription).unwrap();
    assert_eq!(bus.publish(&tick(2)), handled(2), "what came meanwhile is not kept");
    assert_eq!(ear.take(), ["closure: tick", "first: tick 2 at 1000"]);
    bus.unsubscribe(subscription).unwrap();
    assert_eq!(bus.publish(&tick(3)), handled(1));
    assert_eq!(ear.take(), ["first: tick 3 at 1000"]);
    for gone in [bus.pause(subscription), bus.resume(subscription), bus.unsubscribe(subscription)] {
        assert_eq!(gone, Err(IpcError::NotSubscribed { subscription }));
        says(gone, &format!("there is no {subscription}"));
    }
}

pub(super) fn a_paused_bus_says_so_and_nobody_hears(placement: &dyn Placement) {
    let runtime = plain(placement, &[FIRST, LOG]);
    let ear = Ear::on(&runtime, &[EventTopic::Tick, EventTopic::Module]);
    let bus = runtime.bus();
    bus.pause_all();
    let result = bus.publish(&tick(1));
    assert_eq!(result, PublishResult { paused: true, ..handled(0) });
    assert!(!result.is_clean());
    // What the runtime says of modules is heard all the same.
    runtime.stop_module(id(&runtime, "first")).unwrap();
    runtime.start_module(id(&runtime, "first")).unwrap();
    assert_eq!(ear.take(), ["module.unloaded first", "module.loaded first"]);
    bus.resume_all();
    assert_eq!(bus.publish(&tick(2)), handled(2));
    assert_eq!(ear.take(), ["first: tick 2 at 1000", "tick"]);
}

pub(super) fn a_closure_of_a_module_lives_as_long_as_its_instance_runs(placement: &dyn Placement) {
    let runtime = plain(placement, &[SUBSCRIBER]);
    let ear = Ear::on(&runtime, &[]);
    let subscriber = id(&runtime, "subscriber");
    assert_eq!(runtime.publish(&tick(1)), handled(1));
    assert_eq!(ear.take(), ["subscriber: its closure hears"]);
    runtime.stop_module(subscriber).unwrap();
    assert_eq!(runtime.publish(&tick(2)), handled(0));
    runtime.start_module(subscriber).unwrap();
    assert_eq!(runtime.publish(&tick(3)), handled(1));
    runtime.remove(subscriber).unwrap();
    assert_eq!(runtime.publish(&tick(4)), handled(0));
    assert_eq!(ear.take(), ["subscriber: its closure hears"]);
}

pub(super) fn a_handler_may_unsubscribe(placement: &dyn Placement) {
    let runtime = plain(placement, &[SUBSCRIBER]);
    assert_eq!(runtime.publish(&tick(1)), handled(1));
    assert_eq!(runtime.publish(&Shutdown), handled(1));
    assert_eq!(runtime.publish(&tick(2)), handled(0));
    let error = runtime.publish(&Shutdown).first_error.unwrap();
    assert_eq!(error, ("subscriber", ModuleError::new("not subscribed")));
}

pub(super) fn a_module_that_does_not_run_hears_nothing(placement: &dyn Placement) {
    let runtime = crate::stage::built(placement, &[], &[FIRST]);
    assert_eq!(runtime.publish(&tick(1)), handled(0));
    runtime.start().unwrap();
    assert_eq!(runtime.publish(&tick(2)), handled(1));
    runtime.stop().unwrap();
    assert_eq!(runtime.publish(&tick(3)), handled(0));
    assert_eq!(states(&runtime), [("first", ModuleState::Stopped)]);
}

pub(super) fn a_topic_needs_a_name(placement: &dyn Placement) {
    let runtime = plain(placement, &[FIRST]);
    let handler = Box::new(|_: &Event| EventResponse::Handled);
    let subscription = EventSubscription::new("closure", vec![EventTopic::Custom("Not A Name".into())], handler);
    says(
        runtime.subscribe(subscription),
        "bad name `Not A Name`: expected lower-case words and digits joined by single `.`, `_`, `/` or `-`, \
         at most 64 bytes",
    );
}

pub(super) fn statistics_count_what_was_published_and_who_heard_it(placement: &dyn Placement) {
    let runtime = started(placement, Runtime::builder().statistics(), &[TROUBLED, LATE]);
    for number in [0, 2, 0] {
        let _ = runtime.publish(&tick(number));
    }
    let stats = runtime.bus().stats();
    assert_eq!(stats.published, [("tick".to_string(), 3)]);
    let listeners: Vec<_> = stats.listeners.iter().map(|it| (it.name, &*it.topic, it.calls, it.failures)).collect();
    assert_eq!(listeners, [("troubled", "tick", 3, 1), ("late", "tick", 3, 0)]);
}
