//! Calls that come back to where they came from: an error at once, never a hang.

use helix_runtime::prelude::*;
use helix_runtime::{IpcResult, Runtime};

use crate::Placement;
use crate::modules::{A, B, C};
use crate::stage::{Gate, path, plain, says, started};

fn pass(runtime: &Runtime, request: &str, names: &[&str]) -> IpcResult<u64> {
    runtime.call::<(Vec<String>,), u64>(&format!("{}.{request}", names[0]), (path(&names[1..]),))
}

pub(super) fn the_way_back_is_an_error_that_shows_the_chain(placement: &dyn Placement) {
    let runtime = plain(placement, &[A, B, C]);
    assert_eq!(pass(&runtime, "pass", &["a", "b", "c"]), Ok(2));
    says(pass(&runtime, "pass", &["a", "b", "a"]), "a.pass: b.pass: module is busy: a -> b -> a");
    says(pass(&runtime, "pass", &["a", "a"]), "a.pass: module is busy: a -> a");
    says(pass(&runtime, "pass", &["a", "b", "c", "b"]), "a.pass: b.pass: c.pass: module is busy: a -> b -> c -> b");
    let mut error = pass(&runtime, "pass", &["a", "b", "a"]).unwrap_err();
    while let IpcError::Failed { error: inner, .. } = error {
        match *inner {
            ModuleError::Ipc(inner) => error = inner,
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(error, IpcError::Busy { chain: "a -> b -> a".into() });
    for name in ["a", "b", "c"] {
        assert_eq!(pass(&runtime, "pass", &[name]), Ok(0), "nothing is held any more");
    }
}

pub(super) fn who_shares_a_module_may_come_back_to_it(placement: &dyn Placement) {
    let runtime = plain(placement, &[A, B]);
    assert_eq!(pass(&runtime, "share", &["a", "b", "a", "b"]), Ok(3));
    says(pass(&runtime, "share", &["a", "b", "nobody"]), "a.share: b.share: no module or service is called `nobody`");
}

pub(super) fn calls_are_nested_to_the_limit_and_no_deeper(placement: &dyn Placement) {
    let runtime = started(placement, Runtime::builder().depth_limit(3), &[A, B]);
    assert_eq!(pass(&runtime, "share", &["a", "b", "a"]), Ok(2));
    says(
        pass(&runtime, "share", &["a", "b", "a", "b"]),
        "a.share: b.share: a.share: calls are nested deeper than 3: a -> b -> a",
    );
    let runtime = plain(placement, &[A]);
    assert_eq!(pass(&runtime, "share", &["a"; 32]), Ok(31), "32 is the limit unless it is set");
    let error = pass(&runtime, "share", &["a"; 33]).unwrap_err().to_string();
    assert!(error.contains("calls are nested deeper than 32: a -> a -> "), "{error}");
}

pub(super) fn threads_that_wait_for_each_other_get_an_error(placement: &dyn Placement) {
    let runtime = plain(placement, &[A, B]);
    let (left, right) = (Gate::new(&runtime, 100, "left"), Gate::new(&runtime, 101, "right"));
    let meet = |at: &str, gate: &str, other: &str| {
        let args = (gate.to_string(), path(&[other]));
        runtime.call::<(String, Vec<String>), u64>(&format!("{at}.meet"), args)
    };
    std::thread::scope(|scope| {
        let from_a = scope.spawn(|| meet("a", "left", "b"));
        let from_b = scope.spawn(|| meet("b", "right", "a"));
        left.arrived();
        right.arrived();
        // Each has one of them, and goes for the other.
        left.open();
        right.open();
        let results = (from_a.join().unwrap(), from_b.join().unwrap());
        match &results {
            (Ok(1), Err(error)) => assert_eq!(error.to_string(), "b.meet: module is busy: a"),
            (Err(error), Ok(1)) => assert_eq!(error.to_string(), "a.meet: module is busy: b"),
            _ => panic!("one gives way, and the other goes on: {results:?}"),
        }
    });
    assert_eq!(pass(&runtime, "pass", &["a", "b"]), Ok(1), "nothing is held any more");
}

pub(super) fn threads_that_need_one_module_take_turns(placement: &dyn Placement) {
    const ROUNDS: u64 = 200;
    let runtime = plain(placement, &[A, B, C]);
    std::thread::scope(|scope| {
        for first in ["a", "b"] {
            let runtime = &runtime;
            scope.spawn(move || {
                for _ in 0..ROUNDS {
                    assert_eq!(pass(runtime, "pass", &[first, "c"]), Ok(1));
                    assert!(runtime.publish(&Tick { timestamp_ns: 0, tick_number: 0 }).is_clean());
                }
            });
        }
    });
    assert_eq!(runtime.call::<(), u64>("c.calls", ()), Ok(4 * ROUNDS), "no call and no event is lost");
}
