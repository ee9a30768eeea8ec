//! How requests find their handler, and what their callers learn when something is wrong.

use std::time::Duration;

use helix_runtime::prelude::*;
use helix_runtime::{ModuleAddress, ModuleState};

use crate::Placement;
use crate::contract::{Full, GeometryClient, Point};
use crate::modules::{CALLER, FIRST, RIVAL, SERVER, TUNER};
use crate::stage::{Ear, Gate, built, id, plain, says, started, with};
use crate::watchdog::DEADLINE;

pub(super) fn typed_by_module_by_service_by_route_and_by_client(placement: &dyn Placement) {
    let runtime = plain(placement, &[SERVER]);
    assert_eq!(runtime.call::<(u64, u64), u64>("server.add", (2, 3)), Ok(5));
    assert_eq!(runtime.call::<(Point,), Point>("geometry.mirror", (Point { x: 1, y: 2 },)), Ok(Point { x: 2, y: 1 }));
    assert_eq!(runtime.call::<(&'static str,), String>("shapes.greet", ("you",)), Ok("hello you".into()));
    let add = runtime.resolve::<(u64, u64), u64>("server.add").unwrap();
    assert_eq!((add.call((20, 22)), add.call((1, 1))), (Ok(42), Ok(2)));
    let client: GeometryClient = runtime.service().unwrap();
    assert_eq!(client.mirror(Point { x: -1, y: 0 }), Ok(Point { x: 0, y: -1 }));
    assert_eq!(client.grow(1), Ok(4), "there was one instance for all");
    assert_eq!(client.grow(11), Err(CallError::Handler(Full { room: 10 })));
}

pub(super) fn equal_schemas_meet_whatever_their_types(placement: &dyn Placement) {
    let runtime = plain(placement, &[SERVER]);
    assert_eq!(runtime.call::<(String,), String>("server.greet", ("you".into(),)), Ok("hello you".into()));
    assert_eq!(runtime.call::<(&'static str,), String>("server.greet", ("you",)), Ok("hello you".into()));
    assert_eq!(runtime.call::<(u32,), Vec<u8>>("server.bytes", (3,)), Ok(vec![0; 3]));
}

pub(super) fn bytes_in_and_bytes_out(placement: &dyn Placement) {
    let runtime = plain(placement, &[SERVER]);
    let mut reply = [0; 8];
    assert_eq!(runtime.request_into("server.add", &[2, 3], &mut reply), Ok(1));
    assert_eq!(reply[0], 5);
    let add = Request::new("add").with_payload([2, 3]);
    assert_eq!(runtime.request("server", add.clone()), Ok(Response::ok([5])));
    assert_eq!(runtime.request("shapes", add.clone()), Ok(Response::ok([5])));
    let router = runtime.router();
    assert_eq!(router.send_to(id(&runtime, "server"), add.clone()), Ok(Response::ok([5])));
    assert_eq!(router.send(ModuleAddress::Service("geometry".into()), add), Ok(Response::ok([5])));
    says(
        router.send(ModuleAddress::Service("server".into()), Request::new("add")),
        "no module or service is called `service server`",
    );
    says(router.send_to(4711, Request::new("add")), "no module or service is called `#4711`");
}

pub(super) fn a_raw_handler_takes_bytes_and_answers_in_its_own_words(placement: &dyn Placement) {
    let runtime = plain(placement, &[SERVER]);
    let echo = |payload: &[u8]| runtime.request("server", Request::new("echo").with_payload(payload));
    assert_eq!(echo(b"hi"), Ok(Response::ok(b"hi")));
    assert_eq!(echo(&[0]), Ok(Response::rejected("zero")));
    assert_eq!(echo(&[1]), Ok(Response::err("one")));
    assert_eq!(echo(&[]), Ok(Response::not_supported()));
    assert_eq!(runtime.call::<(u8,), u8>("server.echo", (9,)), Ok(9), "it serves typed calls too");
    says(runtime.call::<(u8,), u64>("server.echo", (0,)), "server.echo: zero");
    says(runtime.call::<(), u64>("server.echo", ()), "module `server` does not support `echo`");
    says(runtime.call::<(u8,), String>("server.echo", (9,)), "reply of `server.echo`: found bytes that are not str");
}

pub(super) fn the_source_of_a_request_is_the_module_that_asks(placement: &dyn Placement) {
    let runtime = plain(placement, &[CALLER, SERVER]);
    let ear = Ear::on(&runtime, &[]);
    assert_eq!(runtime.call::<(), Vec<u8>>("caller.who", ()), Ok(b"caller!".to_vec()));
    runtime.request("server", Request::new("echo").with_payload(b"me")).unwrap();
    assert_eq!(ear.take(), [r#"server: "!" from "caller""#, r#"server: "me" from """#]);
}

pub(super) fn an_unknown_module_or_request_is_named(placement: &dyn Placement) {
    let runtime = plain(placement, &[RIVAL, FIRST]);
    assert_eq!(runtime.call::<(), u64>("nobody.there", ()), Err(IpcError::ModuleNotFound { name: "nobody".into() }));
    says(runtime.call::<(), u64>("dotless", ()), "no module or service is called `dotless`");
    assert_eq!(
        runtime.call::<(), u64>("rival.greets", ()),
        Err(IpcError::RequestNotFound { module: "rival".into(), request: "greets".into(), known: "greet".into() })
    );
    says(runtime.call::<(), u64>("rival.greets", ()), "module `rival` has no request `greets`; it has: greet");
    says(runtime.request("first", Request::new("x")), "module `first` has no request `x`; it has: none");
    says(runtime.service::<GeometryClient>(), "no module or service is called `geometry`");
}

pub(super) fn a_mismatch_names_both_types(placement: &dyn Placement) {
    let runtime = plain(placement, &[SERVER]);
    let error = runtime.call::<(u32, u64), u64>("server.add", (1, 2)).unwrap_err();
    assert!(matches!(&error, IpcError::SchemaMismatch { what: "arguments", request, .. } if request == "server.add"));
    assert_eq!(error.to_string(), "arguments of `server.add`: the caller has (u32,u64), the module expects (u64,u64)");
    says(
        runtime.call::<(u64, u64), Point>("server.add", (1, 2)),
        "reply of `server.add`: the caller has Point{x:i32,y:i32}, the module expects u64",
    );
    let found = runtime.resolve::<(u64,), u64>("server.add");
    says(found.map(|_| ()), "arguments of `server.add`: the caller has (u64), the module expects (u64,u64)");
    let client: GeometryClient = runtime.service().unwrap();
    assert_eq!(client.grow(0), Ok(0), "nothing was called");
}

pub(super) fn bytes_that_are_not_what_they_should_be_are_refused(placement: &dyn Placement) {
    let runtime = plain(placement, &[SERVER]);
    for bytes in [&[2][..], &[2, 3, 4]] {
        says(
            runtime.request_into("server.add", bytes, &mut [0; 8]),
            "arguments of `server.add`: found bytes that are not (u64,u64)",
        );
    }
    assert_eq!(
        runtime.request_into("server.bytes", &[9], &mut [0; 8]),
        Err(IpcError::BufferFull { request: "server.bytes".into() })
    );
    let client: GeometryClient = runtime.service().unwrap();
    assert_eq!(client.grow(0), Ok(0), "nothing was called");
}

pub(super) fn a_module_that_does_not_run_says_where_it_stands(placement: &dyn Placement) {
    let runtime = built(placement, &[], &[SERVER]);
    let add = || runtime.call::<(u64, u64), u64>("server.add", (1, 2));
    let not_running = |state| Err(IpcError::NotRunning { module: "server".into(), state });
    assert_eq!(add(), not_running(ModuleState::Registered));
    runtime.start().unwrap();
    assert_eq!(add(), Ok(3));
    runtime.stop().unwrap();
    assert_eq!(add(), not_running(ModuleState::Stopped));
    says(add(), "module `server` is stopped, not running");
}

pub(super) fn a_handlers_error_is_the_callers(placement: &dyn Placement) {
    let runtime = plain(placement, &[SERVER]);
    let error = runtime.call::<(String,), u64>("server.fails", ("no luck".into(),)).unwrap_err();
    assert_eq!(error.to_string(), "server.fails: no luck");
    let (module, request) = ("server".into(), "fails".into());
    assert_eq!(error, IpcError::Failed { module, request, error: Box::new(ModuleError::new("no luck")) });
    let in_bytes = runtime.request("server", Request::new("fails").with_payload(b"\x07no luck"));
    assert_eq!(in_bytes, Err(error));
}

pub(super) fn who_lacks_a_permission_is_denied(placement: &dyn Placement) {
    let runtime = plain(placement, &[SERVER, CALLER, TUNER]);
    says(
        runtime.call::<(), u64>("caller.tune", ()),
        "caller.tune: `caller` may not call `server.tune`: it needs the permission `tune`; add it to its `permissions`",
    );
    let denied = IpcError::Denied { caller: "caller".into(), request: "server.tune".into(), permission: "tune" };
    match runtime.call::<(), u64>("caller.tune", ()).unwrap_err() {
        IpcError::Failed { error, .. } => assert_eq!(*error, ModuleError::Ipc(denied)),
        other => panic!("{other:?}"),
    }
    assert_eq!(runtime.call::<(), u64>("tuner.tune", ()), Ok(42));
    assert_eq!(runtime.call::<(), u64>("server.tune", ()), Ok(42), "who is no module may");
}

pub(super) fn a_kept_client_serves_a_module(placement: &dyn Placement) {
    let runtime = plain(placement, &[CALLER, SERVER]);
    assert_eq!(runtime.call::<(Point,), Point>("caller.mirror", (Point { x: 3, y: 4 },)), Ok(Point { x: 4, y: 3 }));
}

pub(super) fn a_broadcast_is_answered_in_the_order_of_registration(placement: &dyn Placement) {
    let runtime = started(placement, with(&[("services.shapes", "rival")]), &[SERVER, FIRST, RIVAL]);
    runtime.router().register(9, "closure", Box::new(|_| Response::rejected("not now"))).unwrap();
    let answers = runtime.router().broadcast(&Request::new("greet").with_payload(b"\x03you"));
    assert_eq!(
        answers,
        [
            ("server", Ok(Response::ok(b"\x09hello you"))),
            ("rival", Ok(Response::ok(b"\x0cgo away, you"))),
            ("closure", Ok(Response::rejected("not now"))),
        ]
    );
}

pub(super) fn who_does_not_wait_longer_is_told_so(placement: &dyn Placement) {
    let runtime = plain(placement, &[SERVER]);
    let gate = Gate::new(&runtime, 100, "gate");
    std::thread::scope(|scope| {
        let held = scope.spawn(|| runtime.call::<(), u64>("server.hold", ()));
        gate.arrived();
        let waited = Duration::from_millis(5);
        let add = Request::new("add").with_payload([2, 3]);
        let late = runtime.router().send_to("server", add.clone().with_timeout(waited));
        assert_eq!(late, Err(IpcError::Timeout { target: "server".into(), waited }));
        says(late, "server: no answer after 5ms");
        let patient = scope.spawn(|| runtime.router().send_to("server", add.with_timeout(DEADLINE)));
        gate.open();
        assert_eq!(held.join().unwrap(), Ok(0));
        assert_eq!(patient.join().unwrap(), Ok(Response::ok([5])));
    });
}

pub(super) fn a_handler_knows_when_nobody_waits_for_it(placement: &dyn Placement) {
    let runtime = plain(placement, &[CALLER, SERVER]);
    let search = Request::new("search").with_timeout(Duration::from_millis(20));
    assert_eq!(runtime.router().send_to("server", search.clone()), Ok(Response::ok([1])));
    // Long enough to come to the server: what is late is not begun.
    let search = search.with_timeout(Duration::from_secs(1));
    assert_eq!(runtime.router().send_to("caller", search), Ok(Response::ok([1])), "what it asks is for them too");
}

pub(super) fn who_asks_for_others_waits_no_longer_than_they_do(placement: &dyn Placement) {
    let runtime = plain(placement, &[CALLER, SERVER]);
    let gate = Gate::new(&runtime, 100, "gate");
    std::thread::scope(|scope| {
        let held = scope.spawn(|| runtime.call::<(), u64>("server.hold", ()));
        gate.arrived();
        let search = Request::new("search").with_timeout(Duration::from_millis(5));
        let late = runtime.router().send_to("caller", search).unwrap_err().to_string();
        assert!(late.contains("server: no answer after"), "{late}");
        gate.open();
        assert_eq!(held.join().unwrap(), Ok(0));
    });
}

pub(super) fn when_nobody_waits_any_more_nothing_is_begun(placement: &dyn Placement) {
    let runtime = plain(placement, &[CALLER, SERVER]);
    let persist = Request::new("persist").with_timeout(Duration::from_millis(20));
    let late = runtime.router().send_to("caller", persist).unwrap_err().to_string();
    assert!(late.contains("server: no answer after"), "{late}");
}
