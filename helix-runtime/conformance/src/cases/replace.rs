//! One version for another while everybody else goes on, or nothing at all.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::mpsc::channel;
use std::time::Duration;

use helix_runtime::prelude::*;
use helix_runtime::{EventTopic, IpcResult, LifecycleError, ModuleState, Runtime, Transition};

use crate::contract::{CountingClient, Packet};
use crate::modules::{
    A, COUNTER_CARELESS, COUNTER_MUTE, COUNTER_UNMADE, COUNTER_V1, COUNTER_V2, LATER, LEDGER, READER, SUBSCRIBER,
};
use crate::stage::{Ear, Gate, built, id, lifecycle, plain, says, started, states, with};
use crate::watchdog::DEADLINE;
use crate::{Part, Placement};

fn replace(placement: &dyn Placement, runtime: &Runtime, part: Part) -> Result<Transition, LifecycleError> {
    runtime.replace(id(runtime, "counter"), placement.descriptor(part))
}

fn add(runtime: &Runtime, n: u32) -> IpcResult<u64> {
    runtime.call::<(u32,), u64>("counter.add", (n,))
}

fn count(runtime: &Runtime) -> IpcResult<u64> {
    runtime.call::<(), u64>("counting.count", ())
}

fn version(runtime: &Runtime) -> IpcResult<String> {
    runtime.call::<(), String>("counter.version", ())
}

fn read(runtime: &Runtime, who: &str) -> IpcResult<(u64, u64)> {
    runtime.call::<(), (u64, u64)>(&format!("{who}.read"), ())
}

pub(super) fn state_goes_from_one_version_to_the_next(placement: &dyn Placement) {
    let runtime = plain(placement, &[COUNTER_V1]);
    let ear = Ear::on(&runtime, &[EventTopic::Module]);
    let before = id(&runtime, "counter");
    assert_eq!(add(&runtime, 5), Ok(5));
    assert_eq!(replace(placement, &runtime, COUNTER_V2), Ok(Transition::Done));
    assert_eq!(
        ear.take(),
        [
            "counter: v2 init",
            "counter: v1 save",
            "counter: v2 restore of v1",
            "counter: v1 stop",
            "counter: v2 start",
            "module.reloaded counter",
        ]
    );
    assert_eq!(version(&runtime), Ok("v2 after v1, moved 1 times".into()));
    assert_eq!(add(&runtime, 1), Ok(6));
    let status = &runtime.modules()[0];
    assert_eq!((status.id, status.state, status.restarts), (before, ModuleState::Running, 0));
    assert_eq!(status.info.version.to_string(), "2.0.0");

    assert_eq!(replace(placement, &runtime, COUNTER_V2), Ok(Transition::Done), "by the same version too");
    assert_eq!(
        ear.take(),
        [
            "counter: v2 init",
            "counter: v2 save",
            "counter: v2 restore",
            "counter: v2 stop",
            "counter: v2 start",
            "module.reloaded counter",
        ]
    );
    assert_eq!((count(&runtime), version(&runtime)), (Ok(6), Ok("v2 after v1, moved 1 times".into())));
    runtime.stop().unwrap();
    assert_eq!(ear.take(), ["counter: v2 stop", "module.unloaded counter"]);
}

pub(super) fn who_needs_it_is_made_anew_or_stopped_and_started_around_it(placement: &dyn Placement) {
    let runtime = plain(placement, &[READER, LEDGER, COUNTER_V1]);
    let ear = Ear::on(&runtime, &[EventTopic::Module]);
    add(&runtime, 5).unwrap();
    assert_eq!((read(&runtime, "reader"), read(&runtime, "ledger")), (Ok((1, 5)), Ok((1, 5))));
    assert_eq!(replace(placement, &runtime, COUNTER_V2), Ok(Transition::Done));
    assert_eq!(
        ear.take(),
        [
            "counter: v2 init",
            "reader: init",
            "counter: v1 save",
            "counter: v2 restore of v1",
            "ledger: stop",
            "reader: stop",
            "counter: v1 stop",
            "counter: v2 start",
            "reader: start",
            "ledger: start",
            "module.reloaded counter",
            "module.reloaded reader",
        ]
    );
    assert_eq!(read(&runtime, "reader"), Ok((1, 5)), "another instance");
    assert_eq!(read(&runtime, "ledger"), Ok((2, 5)), "the same instance");
}

pub(super) fn whatever_fails_the_old_version_serves_on(placement: &dyn Placement) {
    let panicked = "module `counter` panicked: told to panic";
    let unhealthy = "module `counter` says that it is not healthy";
    for (key, fail, step, error) in [
        ("next_fails", "init", "on_init", "told to fail"),
        ("next_fails", "panic-init", "on_init", panicked),
        ("fail", "save", "on_save", "told to fail"),
        ("fail", "panic-save", "on_save", panicked),
        ("next_fails", "restore", "on_restore", "told to fail"),
        ("next_fails", "panic-restore", "on_restore", panicked),
        ("next_fails", "health", "on_health", unhealthy),
        ("next_fails", "panic-health", "on_health", panicked),
        ("fail", "stop", "on_stop", "told to fail"),
        ("fail", "panic-stop", "on_stop", panicked),
        ("next_fails", "start", "on_start", "told to fail"),
        ("next_fails", "panic-start", "on_start", panicked),
    ] {
        let key = format!("counter.{key}");
        let runtime = started(placement, with(&[(&key, fail)]), &[READER, LEDGER, COUNTER_V1]);
        let ear = Ear::on(&runtime, &[EventTopic::Module]);
        let before = (version(&runtime), states(&runtime));
        assert_eq!(
            (add(&runtime, 5), read(&runtime, "reader"), read(&runtime, "ledger")),
            (Ok(5), Ok((1, 5)), Ok((1, 5)))
        );
        says(replace(placement, &runtime, COUNTER_V2), &format!("module `counter`, {step}: {error}"));
        let heard = ear.take();
        assert!(!heard.iter().any(|line| line.starts_with("module.")), "{step}: the others hear of nothing: {heard:?}");
        assert_eq!((version(&runtime), states(&runtime)), before, "{step}: {error}");
        assert_eq!(
            (add(&runtime, 1), read(&runtime, "reader"), read(&runtime, "ledger")),
            (Ok(6), Ok((2, 6)), Ok((2, 6)))
        );
        assert_eq!(runtime.publish(&Tick { timestamp_ns: 0, tick_number: 0 }).handled, 1);
        assert_eq!(count(&runtime), Ok(7));
    }
}

pub(super) fn the_way_back_is_in_order(placement: &dyn Placement) {
    let runtime = started(placement, with(&[("counter.next_fails", "start")]), &[READER, LEDGER, COUNTER_V1]);
    let ear = Ear::on(&runtime, &[]);
    says(replace(placement, &runtime, COUNTER_V2), "module `counter`, on_start: told to fail");
    assert_eq!(
        ear.take(),
        [
            "counter: v2 init",
            "reader: init",
            "counter: v1 save",
            "counter: v2 restore of v1",
            "ledger: stop",
            "reader: stop",
            "counter: v1 stop",
            "counter: v2 start",
            "counter: v1 start",
            "reader: start",
            "ledger: start",
        ]
    );
}

pub(super) fn a_constructor_that_panics_is_an_error(placement: &dyn Placement) {
    let runtime = plain(placement, &[COUNTER_V1]);
    add(&runtime, 5).unwrap();
    says(
        replace(placement, &runtime, COUNTER_UNMADE),
        "module `counter`, create: module `counter` panicked: while it was created",
    );
    assert_eq!(add(&runtime, 1), Ok(6));
}

pub(super) fn who_needs_it_and_fails_takes_it_back_too(placement: &dyn Placement) {
    let runtime = plain(placement, &[READER, LEDGER, COUNTER_V1]);
    let asked = AtomicU32::new(0);
    let guard = move |_: &Request| match asked.fetch_add(1, Ordering::Relaxed) {
        0 => Response::rejected("not now"),
        _ => Response::ok_empty(),
    };
    runtime.router().register(1, "guard", Box::new(guard)).unwrap();
    add(&runtime, 5).unwrap();
    read(&runtime, "reader").unwrap();
    let ear = Ear::on(&runtime, &[EventTopic::Module]);
    says(replace(placement, &runtime, COUNTER_V2), "module `reader`, on_start: not now");
    assert_eq!(
        ear.take()[4..],
        [
            "ledger: stop",
            "reader: stop",
            "counter: v1 stop",
            "counter: v2 start",
            "reader: start",
            "counter: v2 stop",
            "counter: v1 start",
            "reader: start",
            "ledger: start",
        ]
    );
    assert_eq!((add(&runtime, 1), read(&runtime, "reader"), read(&runtime, "ledger")), (Ok(6), Ok((2, 6)), Ok((1, 6))));
}

pub(super) fn a_closure_goes_with_its_instance(placement: &dyn Placement) {
    let drain = Duration::from_millis(20);
    let runtime = started(placement, with(&[]).drain_timeout(drain), &[SUBSCRIBER]);
    let replace = || runtime.replace(id(&runtime, "subscriber"), placement.descriptor(SUBSCRIBER));
    let heard = || runtime.publish(&Tick { timestamp_ns: 0, tick_number: 0 }).handled;
    assert_eq!((heard(), replace(), heard()), (1, Ok(Transition::Done), 1));

    // The successor has subscribed when the replacement fails.
    let gate = Gate::new(&runtime, 100, "gate");
    std::thread::scope(|scope| {
        let held = scope.spawn(|| runtime.call::<(), ()>("subscriber.hold", ()));
        gate.arrived();
        assert!(matches!(lifecycle(replace()).1, ModuleError::Stuck { .. }));
        gate.open();
        assert_eq!(held.join().unwrap(), Ok(()));
    });
    assert_eq!(heard(), 1);

    assert!(runtime.call::<(), ()>("subscriber.crash", ()).is_err());
    runtime.poll(Duration::ZERO);
    assert_eq!(runtime.poll(Duration::from_millis(100)).restarted, 1);
    assert_eq!(heard(), 1, "and it is one after a restart");
}

pub(super) fn what_waits_for_the_old_version_comes_to_the_new_one(placement: &dyn Placement) {
    let runtime = plain(placement, &[COUNTER_V1, LATER]);
    let ear = Ear::on(&runtime, &[]);
    let (sender, answer) = channel();
    let reply = Box::new(move |answer| sender.send(answer).unwrap());
    runtime.router().queue_with("counter", Request::new("add").with_payload([5]), reply).unwrap();
    assert_eq!(runtime.publish(&Packet { number: 1 }).deferred, 1);
    replace(placement, &runtime, COUNTER_V2).unwrap();
    runtime.replace(id(&runtime, "later"), placement.descriptor(LATER)).unwrap();
    ear.take();
    let polled = runtime.poll(Duration::ZERO);
    assert_eq!((polled.messages, polled.redelivered), (1, 1), "the successor puts it off once itself");
    assert_eq!(answer.try_recv(), Ok(Ok(Response::ok([5]))));
    assert_eq!(runtime.poll(Duration::ZERO).redelivered, 1);
    assert_eq!(ear.take(), ["later: packet 1"]);
    assert_eq!(version(&runtime), Ok("v2 after v1, moved 1 times".into()));
}

pub(super) fn state_that_the_next_version_cannot_take_is_refused(placement: &dyn Placement) {
    let runtime = plain(placement, &[COUNTER_V1]);
    add(&runtime, 5).unwrap();
    says(
        replace(placement, &runtime, COUNTER_CARELESS),
        "module `counter`, on_restore: saved state version 1: `#[on_restore(version = 1)]` takes i32, and what was saved \
         is of another schema; raise the version, and keep a handler for the old one",
    );
    assert_eq!(add(&runtime, 1), Ok(6));
    replace(placement, &runtime, COUNTER_V2).unwrap();
    says(
        replace(placement, &runtime, COUNTER_V1),
        "module `counter`, on_restore: saved state version 2: `counter` has no handler for it; \
         add `#[on_restore(version = 2)]`",
    );
    assert_eq!(add(&runtime, 1), Ok(7));
}

pub(super) fn what_does_not_fit_is_refused(placement: &dyn Placement) {
    let runtime = built(placement, &[], &[COUNTER_V1, LEDGER]);
    let (text, error) = lifecycle(replace(placement, &runtime, COUNTER_V2));
    assert_eq!(text, "module `counter`, replace: module `counter` is registered, expected running");
    let (found, expected) = (ModuleState::Registered, ModuleState::Running);
    assert_eq!(error, ModuleError::WrongState { module: "counter".into(), found, expected });
    runtime.start().unwrap();
    says(
        replace(placement, &runtime, READER),
        "module `counter`, replace: `counter` cannot be replaced by `reader`: expected a module of the same name",
    );
    says(
        replace(placement, &runtime, COUNTER_MUTE),
        "module `counter`, replace: `ledger` needs `counting`, which no module here is or provides: add one, make it \
         `optional = true`, or end the list with `..` if it comes later",
    );
    let (text, error) = lifecycle(runtime.replace(id(&runtime, "ledger"), placement.descriptor(LEDGER)));
    assert_eq!(
        text,
        "module `ledger`, replace: module `ledger` is not HOT_RELOADABLE; \
         add the flag, and `on_save` and `on_restore` or `stateless`"
    );
    assert_eq!(error, ModuleError::NotReloadable { module: "ledger".into() });
    assert_eq!(version(&runtime), Ok("v1, then all is well".into()));
}

pub(super) fn what_is_kept_of_the_old_version_finds_the_new_one(placement: &dyn Placement) {
    let runtime = plain(placement, &[COUNTER_V1]);
    let route = runtime.resolve::<(u32,), u64>("counter.add").unwrap();
    let (client, handle) = (runtime.service::<CountingClient>().unwrap(), runtime.handle());
    assert_eq!(
        (route.call((5,)), client.count(), handle.call::<(u32,), u64>("counter.add", (1,))),
        (Ok(5), Ok(5), Ok(6))
    );
    replace(placement, &runtime, COUNTER_V2).unwrap();
    assert_eq!(
        (route.call((1,)), client.count(), handle.call::<(u32,), u64>("counter.add", (1,))),
        (Ok(7), Ok(7), Ok(8))
    );
    // A request that the successor does not have is found out when it is called.
    let gone = runtime.resolve::<(), u64>("counter.hold");
    says(gone.map(|_| ()), "module `counter` has no request `hold`; it has: add, version, count");
}

pub(super) fn a_failed_version_is_replaced_without_its_state(placement: &dyn Placement) {
    let runtime = started(placement, with(&[("counter.fail", "panic-save")]), &[COUNTER_V1]);
    add(&runtime, 5).unwrap();
    says(runtime.save("counter"), "module `counter` panicked: told to panic");
    assert_eq!(states(&runtime), [("counter", ModuleState::Failed)]);
    assert_eq!(replace(placement, &runtime, COUNTER_V2), Ok(Transition::Done));
    assert_eq!(states(&runtime), [("counter", ModuleState::Running)]);
    assert_eq!(add(&runtime, 1), Ok(1));
}

pub(super) fn saved_state_starts_a_later_runtime(placement: &dyn Placement) {
    let first = plain(placement, &[COUNTER_V1]);
    add(&first, 41).unwrap();
    let saved = first.save("counter").unwrap().unwrap();
    assert_eq!((&*saved.module, saved.version, &saved.bytes[..]), ("counter", 1, &[41][..]));
    let second = started(placement, with(&[]).state(saved.clone()), &[COUNTER_V2]);
    assert_eq!((count(&second), version(&second)), (Ok(41), Ok("v2 after v1, moved 1 times".into())));
    let mut cut = saved;
    cut.bytes.clear();
    let third = placement.build(with(&[]).state(cut), &[COUNTER_V2]).unwrap();
    says(third.start(), "module `counter`, on_restore: saved state version 1: its 0 bytes are not CountV1{count:u32}");
}

/// A runtime whose counter can ask for its own replacement or removal.
fn managed(placement: &dyn Placement) -> Arc<Runtime> {
    let runtime = Arc::new(plain(placement, &[COUNTER_V1, A]));
    let (manager, next) = (Arc::downgrade(&runtime), placement.descriptor(COUNTER_V2));
    let manage = move |request: &Request| {
        let Some(runtime) = manager.upgrade() else { return Response::err("the runtime has ended") };
        let counter = id(&runtime, "counter");
        let done = match &*request.request_type {
            "remove" => runtime.remove(counter),
            _ => runtime.replace(counter, next),
        };
        match done {
            Ok(transition) => Response::ok(format!("{transition:?}")),
            Err(error) => Response::err(error.to_string()),
        }
    };
    runtime.router().register(1, "manager", Box::new(manage)).unwrap();
    runtime
}

pub(super) fn asked_for_from_inside_it_is_postponed_and_done_by_poll(placement: &dyn Placement) {
    let ask = |runtime: &Runtime, what| runtime.call::<(&'static str,), String>("counter.ask", (what,));
    let runtime = managed(placement);
    add(&runtime, 5).unwrap();
    assert_eq!(ask(&runtime, "replace"), Ok("v1 hears Postponed".into()));
    assert_eq!(version(&runtime), Ok("v1, then all is well".into()));
    assert!(runtime.has_work());
    assert_eq!(runtime.poll(Duration::ZERO).transitions, 1);
    assert_eq!((version(&runtime), count(&runtime)), (Ok("v2 after v1, moved 1 times".into()), Ok(5)));
    assert_eq!(runtime.poll(Duration::ZERO).transitions, 0);

    let runtime = managed(placement);
    assert_eq!(ask(&runtime, "remove"), Ok("v1 hears Postponed".into()));
    assert_eq!(add(&runtime, 1), Ok(1));
    assert_eq!(runtime.poll(Duration::ZERO).transitions, 1);
    says(add(&runtime, 1), "no module or service is called `counter`");
}

pub(super) fn asked_for_from_a_module_that_it_does_not_concern_it_is_done_at_once(placement: &dyn Placement) {
    let runtime = managed(placement);
    add(&runtime, 5).unwrap();
    let args = ("manager".to_string(), vec!["counter".to_string()]);
    says(
        runtime.call::<(String, Vec<String>), u64>("a.meet", args),
        "a.meet: module `counter` has no request `pass`; it has: add, version, count",
    );
    assert_eq!((version(&runtime), count(&runtime)), (Ok("v2 after v1, moved 1 times".into()), Ok(5)));
    assert!(!runtime.has_work());
}

pub(super) fn who_comes_while_it_drains_waits_and_finds_the_successor(placement: &dyn Placement) {
    let runtime = started(placement, with(&[]).drain_timeout(DEADLINE), &[COUNTER_V1]);
    let gate = Gate::new(&runtime, 100, "gate");
    add(&runtime, 5).unwrap();
    let next = placement.descriptor(COUNTER_V2);
    std::thread::scope(|scope| {
        let held = scope.spawn(|| runtime.call::<(), u64>("counter.hold", ()));
        gate.arrived();
        let replaced = scope.spawn(|| runtime.replace(id(&runtime, "counter"), next));
        let caller = scope.spawn(|| add(&runtime, 1));
        let publisher = scope.spawn(|| runtime.publish(&Tick { timestamp_ns: 0, tick_number: 0 }).handled);
        gate.open();
        assert_eq!(held.join().unwrap(), Ok(5));
        assert_eq!(replaced.join().unwrap(), Ok(Transition::Done));
        assert!(caller.join().unwrap().is_ok());
        assert_eq!(publisher.join().unwrap(), 1);
    });
    assert_eq!((version(&runtime), count(&runtime)), (Ok("v2 after v1, moved 1 times".into()), Ok(7)));
}

pub(super) fn who_is_inside_one_module_of_many_gets_through_to_another(placement: &dyn Placement) {
    let runtime = plain(placement, &[COUNTER_V1, LEDGER]);
    let gate = Gate::new(&runtime, 100, "gate");
    let same = placement.descriptor(COUNTER_V1);
    for round in 1..=20 {
        let ear = Ear::on(&runtime, &[]);
        std::thread::scope(|scope| {
            let held = scope.spawn(|| runtime.call::<(), u64>("counter.hold", ()));
            gate.arrived();
            // It is inside the ledger, and waits for the counter, most of the time before the transition begins.
            let reads = scope.spawn(|| read(&runtime, "ledger"));
            let replaced = scope.spawn(|| runtime.replace(id(&runtime, "counter"), same));
            ear.wait_for("counter: v1 init");
            gate.open();
            assert_eq!(held.join().unwrap(), Ok(0));
            assert_eq!(reads.join().unwrap(), Ok((round, 0)));
            assert_eq!(replaced.join().unwrap(), Ok(Transition::Done));
        });
    }
}

pub(super) fn a_handler_that_does_not_return_is_named_and_the_old_version_serves_on(placement: &dyn Placement) {
    let waited = Duration::from_millis(20);
    let runtime = started(placement, with(&[]).drain_timeout(waited), &[COUNTER_V1]);
    let gate = Gate::new(&runtime, 100, "gate");
    std::thread::scope(|scope| {
        let thread = std::thread::Builder::new().name("holder".into());
        let held = thread.spawn_scoped(scope, || runtime.call::<(), u64>("counter.hold", ())).unwrap();
        gate.arrived();
        let (text, error) = lifecycle(replace(placement, &runtime, COUNTER_V2));
        assert_eq!(
            text,
            "module `counter`, drain: module `counter` is still busy after 20ms: thread holder is in `counter.hold`"
        );
        let (thread, handler) = ("holder".into(), "`counter.hold`".into());
        assert_eq!(error, ModuleError::Stuck { module: "counter".into(), thread, handler, waited });
        gate.open();
        assert_eq!(held.join().unwrap(), Ok(0));
    });
    assert_eq!((add(&runtime, 1), version(&runtime)), (Ok(1), Ok("v1, then all is well".into())));
    assert_eq!(replace(placement, &runtime, COUNTER_V2), Ok(Transition::Done), "and can be replaced now");
}

pub(super) fn no_update_and_no_event_is_lost_or_doubled(placement: &dyn Placement) {
    const ROUNDS: u64 = 300;
    let runtime = plain(placement, &[COUNTER_V1, LEDGER]);
    std::thread::scope(|scope| {
        let adds = scope.spawn(|| (0..ROUNDS).for_each(|_| assert!(add(&runtime, 1).is_ok())));
        let ticks = scope.spawn(|| {
            for tick_number in 0..ROUNDS {
                let heard = runtime.publish(&Tick { timestamp_ns: 0, tick_number });
                assert!(heard.is_clean() && heard.handled + heard.queued == 1, "{heard:?}");
            }
        });
        let reads = scope.spawn(|| (1..=ROUNDS).for_each(|nth| assert_eq!(read(&runtime, "ledger").unwrap().0, nth)));
        while !(adds.is_finished() && ticks.is_finished() && reads.is_finished()) {
            assert_eq!(replace(placement, &runtime, COUNTER_V2), Ok(Transition::Done));
        }
    });
    runtime.poll(Duration::ZERO);
    assert_eq!(count(&runtime), Ok(2 * ROUNDS));
}
