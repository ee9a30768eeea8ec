//! What fails comes back: after a while, not for ever, and with those who need it.

use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use helix_runtime::prelude::*;
use helix_runtime::{Builder, EventTopic, ModuleState, Runtime, Supervision, Transition};

use crate::Placement;
use crate::modules::{APP, DB, FRIEND, GUARDED, LOG, NURSE, PATIENT};
use crate::stage::{Ear, built, id, plain, started, states};

const POLICY: Supervision = Supervision {
    health_interval: None,
    intensity: 3,
    period: Duration::from_secs(30),
    backoff: Duration::from_millis(100),
    longest_backoff: Duration::from_millis(300),
};

fn supervised(policy: Supervision) -> Builder {
    Runtime::builder().supervision(policy)
}

fn collapse(runtime: &Runtime, name: &'static str) {
    let error = runtime.call::<(), ()>(&format!("{name}.collapse"), ()).unwrap_err();
    assert_eq!(error.to_string(), format!("{name}.collapse: module `{name}` panicked: collapsed"));
    assert!(states(runtime).contains(&(name, ModuleState::Failed)));
}

/// How many modules were started again at that time.
fn restarted(runtime: &Runtime, millis: u64) -> u32 {
    runtime.poll(Duration::from_millis(millis)).restarted
}

pub(super) fn what_failed_is_made_anew_after_a_while(placement: &dyn Placement) {
    let runtime = started(placement, supervised(POLICY), &[PATIENT]);
    let ear = Ear::on(&runtime, &[EventTopic::Module]);
    let visit = || runtime.call::<(), u64>("patient.visit", ());
    assert_eq!((visit(), visit()), (Ok(1), Ok(2)));
    collapse(&runtime, "patient");
    assert_eq!((restarted(&runtime, 1000), restarted(&runtime, 1099)), (0, 0));
    assert_eq!(visit(), Err(IpcError::NotRunning { module: "patient".into(), state: ModuleState::Failed }));
    assert_eq!(restarted(&runtime, 1100), 1);
    assert_eq!(ear.take(), ["module.crashed patient", "patient: start", "module.loaded patient"]);
    assert_eq!(visit(), Ok(1), "without its state");
    assert_eq!(runtime.modules()[0].restarts, 1);
    assert_eq!(restarted(&runtime, 5000), 0);
}

pub(super) fn each_further_restart_waits_twice_as_long_and_one_too_many_is_the_end(placement: &dyn Placement) {
    let runtime = started(placement, supervised(POLICY), &[PATIENT]);
    for (failed, due) in [(0, 100), (1000, 1200), (2000, 2300)] {
        collapse(&runtime, "patient");
        assert_eq!(restarted(&runtime, failed), 0);
        assert_eq!((restarted(&runtime, due - 1), restarted(&runtime, due)), (0, 1), "due at {due}");
    }
    collapse(&runtime, "patient");
    assert_eq!((restarted(&runtime, 3000), restarted(&runtime, 1_000_000)), (0, 0));
    assert_eq!(states(&runtime), [("patient", ModuleState::Failed)]);
    assert_eq!(runtime.modules()[0].restarts, 3);
}

pub(super) fn failures_further_apart_than_the_period_do_not_add_up(placement: &dyn Placement) {
    let policy = Supervision { intensity: 1, period: Duration::from_secs(10), ..POLICY };
    let runtime = started(placement, supervised(policy), &[PATIENT]);
    for failed in [0, 10_000, 20_000] {
        collapse(&runtime, "patient");
        assert_eq!(restarted(&runtime, failed), 0);
        assert_eq!((restarted(&runtime, failed + 99), restarted(&runtime, failed + 100)), (0, 1));
    }
    collapse(&runtime, "patient");
    assert_eq!((restarted(&runtime, 29_999), restarted(&runtime, 60_000)), (0, 0), "two within the period");
}

pub(super) fn who_needs_it_is_stopped_and_started_again_with_it(placement: &dyn Placement) {
    let runtime = started(placement, supervised(POLICY), &[APP, DB, LOG]);
    let ear = Ear::on(&runtime, &[]);
    assert_eq!(runtime.call::<(), u64>("app.calls", ()), Ok(1));
    assert!(runtime.call::<(String,), u64>("log.crash", ("x".into(),)).is_err());
    assert_eq!(restarted(&runtime, 0), 0);
    assert_eq!(ear.take(), ["app: stop", "db: stop"]);
    assert_eq!(
        states(&runtime),
        [("log", ModuleState::Failed), ("db", ModuleState::Stopped), ("app", ModuleState::Stopped)]
    );
    assert_eq!(restarted(&runtime, 100), 1);
    assert_eq!(ear.take_steps(), ["log: init", "log: start", "db: start", "app: start"]);
    assert_eq!(runtime.call::<(), u64>("app.calls", ()), Ok(2), "the same instance");
    assert!(states(&runtime).iter().all(|(_, state)| *state == ModuleState::Running));
}

pub(super) fn in_the_middle_only_those_above_stop(placement: &dyn Placement) {
    let runtime = started(placement, supervised(POLICY), &[APP, DB, LOG]);
    let ear = Ear::on(&runtime, &[]);
    assert!(runtime.call::<(String,), u64>("db.crash", ("x".into(),)).is_err());
    assert_eq!((restarted(&runtime, 0), restarted(&runtime, 100)), (0, 1));
    assert_eq!(ear.take_steps(), ["app: stop", "db: init", "db: start", "app: start"]);
}

pub(super) fn who_can_do_without_it_is_told_and_goes_on(placement: &dyn Placement) {
    let runtime = started(placement, supervised(POLICY), &[PATIENT, NURSE, FRIEND]);
    let ear = Ear::on(&runtime, &[]);
    collapse(&runtime, "patient");
    assert_eq!(ear.take(), ["friend: hears that patient crashed"]);
    assert_eq!(restarted(&runtime, 0), 0);
    assert_eq!(ear.take(), ["nurse: stop", "friend: hears that nurse went"]);
    assert_eq!(restarted(&runtime, 100), 1);
    assert_eq!(ear.take(), ["patient: start", "nurse: start of round 2"]);
}

pub(super) fn a_restart_that_fails_is_a_failure_too(placement: &dyn Placement) {
    let runtime = placement.build(supervised(POLICY), &[GUARDED]).unwrap();
    let asked = AtomicU32::new(0);
    let guard = move |_: &Request| match asked.fetch_add(1, Ordering::Relaxed) {
        1 => Response::rejected("not now"),
        _ => Response::ok_empty(),
    };
    runtime.router().register(1, "guard", Box::new(guard)).unwrap();
    runtime.start().unwrap();
    collapse(&runtime, "guarded");
    assert_eq!((restarted(&runtime, 0), restarted(&runtime, 100)), (0, 0), "it may not");
    assert_eq!(states(&runtime), [("guarded", ModuleState::Failed)]);
    assert_eq!((restarted(&runtime, 200), restarted(&runtime, 399), restarted(&runtime, 400)), (0, 0, 1));
    assert_eq!(runtime.modules()[0].restarts, 1);
}

pub(super) fn health_is_asked_at_its_interval_and_who_is_ill_is_made_anew(placement: &dyn Placement) {
    let policy = Supervision { health_interval: Some(Duration::from_secs(1)), ..POLICY };
    let runtime = started(placement, supervised(policy), &[PATIENT, NURSE]);
    let ear = Ear::on(&runtime, &[EventTopic::HealthCheck]);
    assert_eq!(restarted(&runtime, 0), 0);
    assert_eq!(ear.take(), ["health patient true", "health nurse true"]);
    runtime.call::<(), ()>("patient.fall_ill", ()).unwrap();
    assert_eq!((restarted(&runtime, 999), ear.take()), (0, vec![]));
    assert_eq!(restarted(&runtime, 1000), 0);
    assert_eq!(ear.take(), ["health patient false", "health nurse true", "nurse: stop", "patient: stop"]);
    assert_eq!(states(&runtime), [("patient", ModuleState::Failed), ("nurse", ModuleState::Stopped)]);
    assert_eq!(restarted(&runtime, 1100), 1);
    assert_eq!(ear.take(), ["patient: start", "nurse: start of round 2"]);
    assert_eq!(restarted(&runtime, 2000), 0);
    assert_eq!(ear.take(), ["health patient true", "health nurse true"]);
}

pub(super) fn never_means_never(placement: &dyn Placement) {
    let runtime = started(placement, supervised(Supervision::NEVER), &[PATIENT]);
    collapse(&runtime, "patient");
    assert_eq!((restarted(&runtime, 0), restarted(&runtime, 1_000_000)), (0, 0));
    assert_eq!(states(&runtime), [("patient", ModuleState::Failed)]);
}

pub(super) fn by_default_it_waits_a_tenth_of_a_second(placement: &dyn Placement) {
    let runtime = plain(placement, &[PATIENT]);
    collapse(&runtime, "patient");
    assert_eq!((restarted(&runtime, 0), restarted(&runtime, 99), restarted(&runtime, 100)), (0, 0, 1));
}

pub(super) fn a_runtime_that_was_stopped_starts_nothing_again(placement: &dyn Placement) {
    let runtime = built(placement, &[], &[PATIENT, NURSE]);
    runtime.start().unwrap();
    collapse(&runtime, "patient");
    assert_eq!(restarted(&runtime, 0), 0);
    runtime.stop().unwrap();
    assert_eq!(restarted(&runtime, 1000), 0);
    assert_eq!(states(&runtime), [("patient", ModuleState::Failed), ("nurse", ModuleState::Stopped)]);
}

pub(super) fn who_was_stopped_by_hand_stays_stopped(placement: &dyn Placement) {
    let runtime = started(placement, supervised(POLICY), &[PATIENT, NURSE]);
    runtime.stop_module(id(&runtime, "nurse")).unwrap();
    collapse(&runtime, "patient");
    assert_eq!((restarted(&runtime, 0), restarted(&runtime, 100)), (0, 1));
    assert_eq!(states(&runtime), [("patient", ModuleState::Running), ("nurse", ModuleState::Stopped)]);
}

pub(super) fn a_replacement_of_what_failed_has_a_record_of_its_own(placement: &dyn Placement) {
    let crash = |runtime: &Runtime| assert!(runtime.call::<(String,), u64>("log.crash", ("x".into(),)).is_err());
    let policy = Supervision { intensity: 1, ..POLICY };
    let runtime = started(placement, supervised(policy), &[DB, LOG]);
    crash(&runtime);
    assert_eq!((restarted(&runtime, 0), restarted(&runtime, 100)), (0, 1));
    crash(&runtime);
    assert_eq!((restarted(&runtime, 200), restarted(&runtime, 1000)), (0, 0), "it is given up");
    assert_eq!(runtime.replace(id(&runtime, "log"), placement.descriptor(LOG)), Ok(Transition::Done));
    assert_eq!(states(&runtime), [("log", ModuleState::Running), ("db", ModuleState::Stopped)]);
    assert_eq!(restarted(&runtime, 1001), 0);
    assert_eq!(states(&runtime)[1], ("db", ModuleState::Running), "what waited for it is back");
    crash(&runtime);
    assert_eq!((restarted(&runtime, 2000), restarted(&runtime, 2099), restarted(&runtime, 2100)), (0, 0, 1));
}

pub(super) fn nothing_comes_back_without_what_it_needs(placement: &dyn Placement) {
    let runtime = started(placement, supervised(POLICY), &[PATIENT, NURSE]);
    collapse(&runtime, "patient");
    assert_eq!(restarted(&runtime, 0), 0);
    assert_eq!(runtime.remove(id(&runtime, "patient")), Ok(Transition::Done));
    assert_eq!(restarted(&runtime, 1000), 0);
    assert_eq!(states(&runtime), [("nurse", ModuleState::Stopped)]);
    runtime.add_descriptor(placement.descriptor(PATIENT)).unwrap();
    assert_eq!(restarted(&runtime, 2000), 0);
    assert_eq!(states(&runtime), [("patient", ModuleState::Running), ("nurse", ModuleState::Running)]);
}
