//! From the first step of a module to its last.

use std::sync::Arc;
use std::time::Duration;

use helix_runtime::prelude::*;
use helix_runtime::{BuildFault, EventTopic, Fault, ModuleState, Transition};

use crate::Placement;
use crate::modules::{A, APP, B, CALLER, DB, EXTRA, KERNEL, LOG, SERVER, UNMADE};
use crate::stage::{Ear, Gate, built, id, lifecycle, plain, says, started, states, with};

const ALL: &[crate::Part] = &[APP, DB, LOG];

pub(super) fn dependencies_start_first_and_stop_last(placement: &dyn Placement) {
    let runtime = built(placement, &[], ALL);
    let ear = Ear::on(&runtime, &[]);
    let all = |state| [("log", state), ("db", state), ("app", state)];
    assert_eq!(states(&runtime), all(ModuleState::Registered));
    runtime.start().unwrap();
    assert_eq!(states(&runtime), all(ModuleState::Running));
    assert_eq!(ear.take_steps(), ["log: init", "log: start", "db: init", "db: start", "app: init", "app: start"]);
    runtime.stop().unwrap();
    assert_eq!(states(&runtime), all(ModuleState::Stopped));
    assert_eq!(ear.take(), ["app: stop", "db: stop", "log: stop"]);
    runtime.start().unwrap();
    assert_eq!(ear.take_steps(), ["log: start", "db: start", "app: start"], "what is initialized stays so");
}

pub(super) fn each_hears_of_each_exactly_once(placement: &dyn Placement) {
    let runtime = built(placement, &[], ALL);
    let ear = Ear::on(&runtime, &[]);
    runtime.start().unwrap();
    let mut heard = ear.take_hearsay();
    heard.sort();
    let expected = ["app", "db", "log"].map(|hears| ["app", "db", "log"].map(|of| format!("{hears}: hears of {of}")));
    assert_eq!(heard, expected.concat());
    runtime.add_descriptor(placement.descriptor(EXTRA)).unwrap();
    let mut heard = ear.take_hearsay();
    heard.sort();
    assert_eq!(
        heard,
        [
            "app: hears of extra",
            "db: hears of extra",
            "extra: hears of app",
            "extra: hears of db",
            "extra: hears of extra",
            "extra: hears of log",
            "log: hears of extra",
        ]
    );
}

pub(super) fn a_start_that_fails_stops_what_it_had_started_in_reverse(placement: &dyn Placement) {
    for (fail, step, error) in [
        ("init", "on_init", "told to fail"),
        ("start", "on_start", "told to fail"),
        ("panic-init", "on_init", "module `app` panicked: told to panic"),
        ("panic-start", "on_start", "module `app` panicked: told to panic"),
    ] {
        let runtime = built(placement, &[("app.fail", fail)], ALL);
        let ear = Ear::on(&runtime, &[]);
        says(runtime.start(), &format!("module `app`, {step}: {error}"));
        let stops: Vec<_> = ear.take().into_iter().filter(|line| line.ends_with("stop")).collect();
        assert_eq!(stops, ["db: stop", "log: stop"]);
        let expected = [("log", ModuleState::Stopped), ("db", ModuleState::Stopped), ("app", ModuleState::Failed)];
        assert_eq!(states(&runtime), expected);
        let (text, error) = lifecycle(runtime.start());
        assert_eq!(text, "module `app`, start: module `app` is failed, expected stopped");
        let (found, expected) = (ModuleState::Failed, ModuleState::Stopped);
        assert_eq!(error, ModuleError::WrongState { module: "app".into(), found, expected });
    }
}

pub(super) fn a_constructor_that_panics_is_an_error_of_the_start(placement: &dyn Placement) {
    let runtime = built(placement, &[], &[LOG, UNMADE]);
    says(runtime.start(), "module `unmade`, create: module `unmade` panicked: while it was created");
    assert_eq!(states(&runtime), [("log", ModuleState::Stopped), ("unmade", ModuleState::Failed)]);
}

pub(super) fn a_stop_that_fails_lets_the_others_stop(placement: &dyn Placement) {
    for (fail, error) in [("stop", "told to fail"), ("panic-stop", "module `db` panicked: told to panic")] {
        let runtime = built(placement, &[("db.fail", fail)], ALL);
        let ear = Ear::on(&runtime, &[]);
        runtime.start().unwrap();
        ear.take();
        says(runtime.stop(), &format!("module `db`, on_stop: {error}"));
        assert_eq!(ear.take(), ["app: stop", "db: stop", "log: stop"]);
        let expected = [("log", ModuleState::Stopped), ("db", ModuleState::Failed), ("app", ModuleState::Stopped)];
        assert_eq!(states(&runtime), expected);
    }
}

pub(super) fn starting_what_runs_is_a_wrong_state(placement: &dyn Placement) {
    let runtime = plain(placement, ALL);
    let (text, error) = lifecycle(runtime.start());
    assert_eq!(text, "module `log`, start: module `log` is running, expected stopped");
    let (found, expected) = (ModuleState::Running, ModuleState::Stopped);
    assert_eq!(error, ModuleError::WrongState { module: "log".into(), found, expected });
    assert!(states(&runtime).iter().all(|(_, state)| *state == ModuleState::Running), "nothing was unwound");
}

pub(super) fn a_module_is_stopped_and_started_by_itself(placement: &dyn Placement) {
    let runtime = plain(placement, ALL);
    let ear = Ear::on(&runtime, &[EventTopic::Module]);
    let (log, app) = (id(&runtime, "log"), id(&runtime, "app"));
    assert_eq!(runtime.call::<(), u64>("app.calls", ()), Ok(1));
    runtime.stop_module(app).unwrap();
    assert_eq!(ear.take(), ["app: stop", "module.unloaded app"]);
    assert_eq!(
        runtime.call::<(), u64>("app.calls", ()),
        Err(IpcError::NotRunning { module: "app".into(), state: ModuleState::Stopped })
    );
    runtime.stop_module(id(&runtime, "db")).unwrap();
    runtime.stop_module(log).unwrap();
    says(runtime.start_module(app), "module `app`, start: module `db` is stopped, expected running");
    for module in runtime.modules() {
        runtime.start_module(module.id).unwrap();
    }
    assert_eq!(runtime.call::<(), u64>("app.calls", ()), Ok(2), "it is the same instance");
}

pub(super) fn a_needed_module_cannot_go_before_those_who_need_it(placement: &dyn Placement) {
    let runtime = plain(placement, ALL);
    let log = id(&runtime, "log");
    let needed = "module `log` is needed by db, app; stop or remove those first";
    let (text, error) = lifecycle(runtime.remove(log));
    assert_eq!(text, format!("module `log`, remove: {needed}"));
    assert_eq!(error, ModuleError::Needed { module: "log".into(), by: "db, app".into() });
    says(runtime.stop_module(log), &format!("module `log`, stop: {needed}"));
    assert!(states(&runtime).iter().all(|(_, state)| *state == ModuleState::Running));
    let ear = Ear::on(&runtime, &[EventTopic::Module]);
    for name in ["app", "db", "log"] {
        assert_eq!(runtime.remove(id(&runtime, name)), Ok(Transition::Done));
        assert_eq!(ear.take_steps(), [format!("{name}: stop"), format!("module.unloaded {name}")]);
    }
    assert_eq!(runtime.module_id("log"), Err(IpcError::ModuleNotFound { name: "log".into() }));
    says(runtime.call::<(), u64>("log.calls", ()), "no module or service is called `log`");
    assert_eq!(states(&runtime), []);
}

pub(super) fn what_a_module_needs_must_be_there_to_start_it(placement: &dyn Placement) {
    let runtime = plain(placement, &[DB, LOG]);
    let db = id(&runtime, "db");
    runtime.stop_module(db).unwrap();
    assert_eq!(runtime.remove(id(&runtime, "log")), Ok(Transition::Done), "nobody who runs needs it");
    let missing = "`db` needs `log`, which no module here is or provides: add one, make it `optional = true`, \
                   or end the list with `..` if it comes later";
    says(runtime.start_module(db), &format!("module `db`, start: {missing}"));
    runtime.stop().unwrap();
    says(runtime.start(), &format!("module `helix`, start: {missing}"));
    assert_eq!(states(&runtime), [("db", ModuleState::Stopped)]);
    runtime.add_descriptor(placement.descriptor(LOG)).unwrap();
    runtime.start().unwrap();
    assert_eq!(states(&runtime), [("log", ModuleState::Running), ("db", ModuleState::Running)]);
}

pub(super) fn a_stop_is_announced_before_anyone_stops(placement: &dyn Placement) {
    let runtime = plain(placement, &[DB, LOG]);
    let ear = Ear::on(&runtime, &[EventTopic::Shutdown, EventTopic::Module]);
    runtime.stop().unwrap();
    assert_eq!(ear.take(), ["shutdown", "db: stop", "module.unloaded db", "log: stop", "module.unloaded log"]);
}

pub(super) fn a_module_that_stays_busy_ends_the_stop_and_runs_on(placement: &dyn Placement) {
    let waited = Duration::from_millis(20);
    let runtime = started(placement, with(&[]).drain_timeout(waited), &[SERVER, CALLER]);
    let gate = Gate::new(&runtime, 100, "gate");
    std::thread::scope(|scope| {
        let thread = std::thread::Builder::new().name("holder".into());
        let held = thread.spawn_scoped(scope, || runtime.call::<(), u64>("server.hold", ())).unwrap();
        gate.arrived();
        let stuck = "module `server`, drain: module `server` is still busy after 20ms: \
                     thread holder is in `server.hold`";
        says(runtime.stop(), stuck);
        assert_eq!(states(&runtime), [("server", ModuleState::Running), ("caller", ModuleState::Stopped)]);
        says(runtime.remove(id(&runtime, "server")), stuck);
        gate.open();
        assert_eq!(held.join().unwrap(), Ok(0));
    });
    runtime.stop().unwrap();
    assert_eq!(states(&runtime), [("server", ModuleState::Stopped), ("caller", ModuleState::Stopped)]);
}

pub(super) fn who_is_inside_knows_that_a_stop_waits(placement: &dyn Placement) {
    let runtime = plain(placement, &[SERVER]);
    let ear = Ear::on(&runtime, &[]);
    std::thread::scope(|scope| {
        let inside = scope.spawn(|| runtime.call::<(), bool>("server.search", ()));
        ear.wait_for("server: searches");
        runtime.stop_module(id(&runtime, "server")).unwrap();
        assert_eq!(inside.join().unwrap(), Ok(false), "nobody had set an end");
    });
}

pub(super) fn a_module_cannot_be_stopped_from_inside_of_it(placement: &dyn Placement) {
    let runtime = Arc::new(plain(placement, &[A, B]));
    let manager = Arc::downgrade(&runtime);
    let stop = move |_: &Request| {
        let Some(runtime) = manager.upgrade() else { return Response::err("the runtime has ended") };
        match runtime.stop_module(id(&runtime, "a")) {
            Ok(()) => Response::ok_empty(),
            Err(error) => Response::err(error.to_string()),
        }
    };
    runtime.router().register(1, "manager", Box::new(stop)).unwrap();
    let refused = "module `a`, on_stop: module is busy: a -> manager -> a";
    let meet = |at: &str| {
        let args = ("manager".to_string(), vec![]);
        runtime.call::<(String, Vec<String>), u64>(&format!("{at}.meet"), args)
    };
    says(meet("a"), &format!("a.meet: {refused}"));
    assert_eq!(meet("b"), Ok(0), "from another it can");
    assert_eq!(states(&runtime), [("a", ModuleState::Stopped), ("b", ModuleState::Running)]);
}

pub(super) fn an_essential_module_cannot_go_while_the_system_runs(placement: &dyn Placement) {
    let runtime = plain(placement, &[KERNEL]);
    let kernel = id(&runtime, "kernel");
    let essential = "module `kernel` is ESSENTIAL and cannot go while the system runs; stop the runtime, or replace it";
    let (text, error) = lifecycle(runtime.remove(kernel));
    assert_eq!(text, format!("module `kernel`, remove: {essential}"));
    assert_eq!(error, ModuleError::Essential { module: "kernel".into() });
    says(runtime.stop_module(kernel), &format!("module `kernel`, stop: {essential}"));
    assert_eq!(runtime.replace(kernel, placement.descriptor(KERNEL)), Ok(Transition::Done));
    runtime.stop().unwrap();
    assert_eq!(runtime.remove(kernel), Ok(Transition::Done));
}

pub(super) fn what_is_added_must_fit_and_start_or_is_not_there(placement: &dyn Placement) {
    let runtime = plain(placement, &[LOG]);
    let add = |part| runtime.add_descriptor(placement.descriptor(part));
    let (text, error) = lifecycle(add(LOG));
    assert_eq!(text, "module `log`, add: two modules are called `log`: rename one with `name = \"..\"`");
    match error {
        ModuleError::Unfit(unfit) => {
            assert_eq!(unfit.faults, [BuildFault::Set(Fault::Duplicate { name: "log" })]);
        }
        other => panic!("{other:?}"),
    }
    says(
        add(APP),
        "module `app`, add: `app` needs `db`, which no module here is or provides: add one, make it `optional = true`, \
         or end the list with `..` if it comes later",
    );
    says(add(UNMADE), "module `unmade`, create: module `unmade` panicked: while it was created");
    assert_eq!(states(&runtime), [("log", ModuleState::Running)]);
    assert_eq!(add(DB), Ok(id(&runtime, "db")));
    assert_eq!(add(APP), Ok(id(&runtime, "app")));
    assert_eq!(runtime.call::<(), u64>("app.calls", ()), Ok(1));
}

pub(super) fn building_reports_every_fault_at_once(placement: &dyn Placement) {
    let config = [("log.colour", "red"), ("nobody.x", "1")];
    let error = placement.build(with(&config), &[APP, LOG, LOG]).unwrap_err();
    let missing = "`app` needs `db`, which no module here is or provides: add one, make it `optional = true`, \
                   or end the list with `..` if it comes later";
    let faults: Vec<_> = error.faults.iter().map(BuildFault::to_string).collect();
    assert_eq!(
        faults,
        [
            missing,
            "two modules are called `log`: rename one with `name = \"..\"`",
            "config key `log.colour`: `log` has no key `colour`; it has: fail",
            "config key `nobody.x`: no module is called `nobody`; there are: app, log, log",
        ]
    );
}

pub(super) fn health_is_what_each_module_says(placement: &dyn Placement) {
    let runtime = built(placement, &[("db.fail", "health"), ("app.fail", "panic-health")], ALL);
    assert_eq!(
        runtime.health()[0].reason.as_ref().unwrap().to_string(),
        "module `log` is registered, expected running"
    );
    runtime.start().unwrap();
    let ear = Ear::on(&runtime, &[EventTopic::HealthCheck, EventTopic::Module]);
    let health = runtime.health().into_iter().map(|it| (it.module, it.healthy, it.reason.map(|it| it.to_string())));
    let panicked = "module `app` panicked: told to panic".to_string();
    assert_eq!(health.collect::<Vec<_>>(), [("log", true, None), ("db", false, None), ("app", false, Some(panicked))]);
    assert_eq!(ear.take(), ["health log true", "health db false", "module.crashed app", "health app false"]);
    assert_eq!(states(&runtime)[2], ("app", ModuleState::Failed));
}

pub(super) fn a_runtime_that_goes_stops_what_runs_and_its_handles_say_so(placement: &dyn Placement) {
    let runtime = plain(placement, ALL);
    let ear = Ear::on(&runtime, &[]);
    let handle = runtime.handle();
    assert_eq!(handle.call::<(), u64>("app.calls", ()), Ok(1));
    drop(runtime);
    assert_eq!(ear.take(), ["app: stop", "db: stop", "log: stop"]);
    assert_eq!(handle.call::<(), u64>("app.calls", ()), Err(IpcError::Closed));
    assert_eq!(handle.publish(&Shutdown), Err(IpcError::Closed));
    says(handle.request("app", Request::new("calls")), "the runtime has ended");
}
