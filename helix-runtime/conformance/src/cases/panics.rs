//! A panic is the end of its module, and of nothing else.

use helix_runtime::prelude::*;
use helix_runtime::{EventTopic, ModuleState, PublishResult};

use crate::Placement;
use crate::modules::{APP, COUNTER_V1, DB, FIRST, LATE, LOG, SERVER, TROUBLED};
use crate::stage::{Ear, built, id, plain, says, states, with};

pub(super) fn in_a_request_it_is_the_callers_error(placement: &dyn Placement) {
    let runtime = plain(placement, &[SERVER, LATE]);
    let ear = Ear::on(&runtime, &[EventTopic::Module]);
    let error = runtime.call::<(String,), u64>("server.crash", ("as told".into(),)).unwrap_err();
    assert_eq!(error.to_string(), "server.crash: module `server` panicked: as told");
    let panicked = ModuleError::Panicked { module: "server".into(), message: "as told".into() };
    let (module, request) = ("server".into(), "crash".into());
    assert_eq!(error, IpcError::Failed { module, request, error: Box::new(panicked) });
    assert_eq!(ear.take(), ["module.crashed server"]);
    says(runtime.call::<(u64, u64), u64>("server.add", (1, 2)), "module `server` is failed, not running");
    assert_eq!(states(&runtime), [("server", ModuleState::Failed), ("late", ModuleState::Running)]);
    runtime.stop().unwrap();
    assert_eq!(ear.take(), ["module.unloaded late"]);
}

pub(super) fn in_an_event_handler_the_others_hear_all_the_same(placement: &dyn Placement) {
    let runtime = plain(placement, &[TROUBLED, FIRST]);
    let ear = Ear::on(&runtime, &[EventTopic::Module]);
    let tick = Tick { timestamp_ns: 0, tick_number: 3 };
    let panicked = ModuleError::Panicked { module: "troubled".into(), message: "three is worse".into() };
    let first_error = Some(("troubled", panicked));
    assert_eq!(runtime.publish(&tick), PublishResult { handled: 1, failed: 1, first_error, ..Default::default() });
    assert_eq!(ear.take(), ["module.crashed troubled", "first: tick 3 at 0"]);
    assert_eq!(runtime.publish(&tick), PublishResult { handled: 1, ..Default::default() });
}

pub(super) fn what_needs_a_failed_module_may_go_and_it_too(placement: &dyn Placement) {
    let runtime = plain(placement, &[APP, DB, LOG]);
    assert!(runtime.call::<(String,), u64>("log.crash", ("x".into(),)).is_err());
    says(runtime.start_module(id(&runtime, "log")), "module `log`, start: module `log` is failed, expected stopped");
    for name in ["app", "db", "log"] {
        runtime.remove(id(&runtime, name)).unwrap();
    }
    assert_eq!(states(&runtime), []);
}

pub(super) fn in_save_it_is_the_error_of_who_asked(placement: &dyn Placement) {
    let runtime = placement.build(with(&[("counter.fail", "panic-save")]), &[COUNTER_V1]).unwrap();
    runtime.start().unwrap();
    let ear = Ear::on(&runtime, &[EventTopic::Module]);
    says(runtime.save("counter"), "module `counter` panicked: told to panic");
    assert_eq!(ear.take(), ["counter: v1 save", "module.crashed counter"]);
    assert_eq!(states(&runtime), [("counter", ModuleState::Failed)]);
}

pub(super) fn in_a_closure_it_is_the_closures_end(placement: &dyn Placement) {
    let runtime = built(placement, &[], &[]);
    runtime.router().register(7, "closure", Box::new(|_| panic!("as told"))).unwrap();
    let ask = || runtime.router().send_to(7, Request::new("x"));
    says(ask(), "closure.x: module `closure` panicked: as told");
    says(ask(), "module `closure` is failed, not running");
}
