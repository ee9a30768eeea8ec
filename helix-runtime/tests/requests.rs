//! How requests find their handler, and what their callers learn when something is wrong.
#![allow(missing_docs)]

use std::sync::OnceLock;

use helix_runtime::prelude::*;
use helix_runtime::{IpcResult, Runtime, modules};

#[helix_message]
#[derive(Debug, Clone, PartialEq)]
pub struct Point {
    pub x: i32,
    pub y: i32,
}

#[helix_service("geometry")]
pub trait Geometry {
    fn mirror(&self, point: Point) -> Point;
    fn count(&mut self) -> u64;
}

/// Has a request of every kind.
#[helix_module(provides = [Geometry, "shapes"])]
#[derive(Default)]
pub struct Shapes {
    calls: u64,
}

#[helix_handlers]
impl Shapes {
    #[on_request]
    fn add(&mut self, a: u64, b: u64) -> u64 {
        self.calls += 1;
        a + b
    }
    #[on_request]
    fn greet(&self, name: &str) -> String {
        format!("hello {name}")
    }
    #[on_request]
    fn nothing(&self) {}
    #[on_request]
    fn fails(&self, why: String) -> Result<u64, ModuleError> {
        Err(why.into())
    }
    #[on_request]
    fn panics(&self) -> u64 {
        panic!("as asked")
    }
    #[on_request]
    fn bytes(&self, len: u32) -> Vec<u8> {
        vec![0; len as usize]
    }
    #[on_request(raw)]
    fn echo(&self, request: &Request) -> Result<Response, ModuleError> {
        match request.payload.as_slice() {
            [] => Ok(Response::not_supported()),
            [0] => Ok(Response::rejected("zero")),
            payload => Ok(Response::ok([request.source().as_bytes(), payload].concat())),
        }
    }
}

impl Geometry for Shapes {
    fn mirror(&self, point: Point) -> Point {
        Point { x: point.y, y: point.x }
    }
    fn count(&mut self) -> u64 {
        self.calls
    }
}

fn shapes() -> Runtime {
    let runtime = Runtime::builder().modules(modules![Shapes]).build().unwrap();
    runtime.start().unwrap();
    runtime
}

#[test]
fn a_request_is_found_by_module_by_service_and_by_client() {
    let runtime = shapes();
    assert_eq!(runtime.call::<(u64, u64), u64>("shapes.add", (2, 3)).unwrap(), 5);
    assert_eq!(runtime.call::<(), u64>("geometry.count", ()).unwrap(), 1);
    let client: GeometryClient = runtime.service().unwrap();
    assert_eq!(client.mirror(Point { x: 1, y: 2 }).unwrap(), Point { x: 2, y: 1 });
    let add = runtime.resolve::<(u64, u64), u64>("shapes.add").unwrap();
    assert_eq!(add.call((20, 22)).unwrap(), 42);
    assert_eq!(client.count().unwrap(), 2);
    runtime.call::<(), ()>("shapes.nothing", ()).unwrap();
}

#[test]
fn equal_schemas_meet_through_bytes() {
    let runtime = shapes();
    let owned = runtime.call::<(String,), String>("shapes.greet", ("you".into(),)).unwrap();
    let lent = runtime.call::<(&'static str,), String>("shapes.greet", ("you",)).unwrap();
    assert_eq!((owned.as_str(), lent.as_str()), ("hello you", "hello you"));
}

#[test]
fn bytes_in_and_bytes_out() {
    let runtime = shapes();
    let mut reply = [0; 8];
    let len = runtime.request_into("shapes.add", &[2, 3], &mut reply).unwrap();
    assert_eq!(&reply[..len], [5]);
    let response = runtime.request("shapes", Request::new("add").with_payload(vec![2, 3])).unwrap();
    assert_eq!(response, Response::ok(vec![5]));
}

#[track_caller]
fn says<T: std::fmt::Debug>(result: IpcResult<T>, message: &str) {
    assert_eq!(result.unwrap_err().to_string(), message);
}

#[test]
fn a_wrong_call_says_what_is_wrong() {
    let runtime = shapes();
    says(runtime.call::<(), u64>("nobody.there", ()), "no module or service is called `nobody`");
    says(runtime.call::<(), u64>("dotless", ()), "no module or service is called `dotless`");
    says(
        runtime.call::<(), u64>("shapes.ad", ()),
        "module `shapes` has no request `ad`; it has: add, greet, nothing, fails, panics, bytes, echo, mirror, count",
    );
    says(
        runtime.call::<(u32, u64), u64>("shapes.add", (1, 2)),
        "arguments of `shapes.add`: the caller has (u32,u64), the module expects (u64,u64)",
    );
    says(
        runtime.call::<(u64, u64), Point>("shapes.add", (1, 2)),
        "reply of `shapes.add`: the caller has Point{x:i32,y:i32}, the module expects u64",
    );
    assert!(runtime.resolve::<(u64,), u64>("shapes.add").is_err());
    says(
        runtime.request_into("shapes.add", &[2], &mut [0; 8]),
        "arguments of `shapes.add`: found bytes that are not (u64,u64)",
    );
    says(
        runtime.request_into("shapes.add", &[2, 3, 4], &mut [0; 8]),
        "arguments of `shapes.add`: found bytes that are not (u64,u64)",
    );
    says(
        runtime.request_into("shapes.bytes", &[9], &mut [0; 8]),
        "the reply of `shapes.bytes` does not fit into the caller's buffer",
    );
    says(runtime.call::<(String,), u64>("shapes.fails", ("no luck".into(),)), "shapes.fails: no luck");
    assert_eq!(runtime.call::<(), u64>("geometry.count", ()).unwrap(), 0, "nothing was called");
}

#[test]
fn a_raw_handler_serves_typed_calls_too() {
    let runtime = shapes();
    says(runtime.call::<(), u64>("shapes.echo", ()), "module `shapes` does not support `echo`");
    says(runtime.call::<(u8,), u64>("shapes.echo", (0,)), "shapes.echo: zero");
    assert_eq!(runtime.call::<(u8,), u8>("shapes.echo", (9,)).unwrap(), 9);
    says(runtime.call::<(u8,), String>("shapes.echo", (9,)), "reply of `shapes.echo`: found bytes that are not str");
}

#[test]
fn a_panic_is_the_callers_error_and_the_modules_end() {
    let runtime = shapes();
    says(runtime.call::<(), u64>("shapes.panics", ()), "shapes.panics: module `shapes` panicked: as asked");
    says(runtime.call::<(), ()>("shapes.nothing", ()), "module `shapes` is failed, not running");
}

/// Calls whoever it is told to.
#[helix_module]
#[derive(Default)]
pub struct Caller {
    kept: Option<GeometryClient>,
}

#[helix_handlers]
impl Caller {
    #[on_request]
    fn relay(&mut self, path: &str, ctx: &Context) -> Result<u64, ModuleError> {
        Ok(ctx.call::<(&'static str,), u64>(path, ("relay.relay",))?)
    }
    #[on_request]
    fn who(&self, ctx: &Context) -> Result<Vec<u8>, ModuleError> {
        match ctx.request("shapes", Request::new("echo").with_payload(b"!"))? {
            Response::Success(bytes) => Ok(bytes),
            other => Err(format!("{other:?}").into()),
        }
    }
    #[on_request]
    fn keep(&mut self, ctx: &Context) -> Result<(), ModuleError> {
        self.kept = Some(ctx.service()?);
        Ok(())
    }
    #[on_request]
    fn kept(&mut self) -> Result<u64, ModuleError> {
        Ok(self.kept.as_ref().ok_or("nothing kept")?.count()?)
    }
}

/// Calls back.
#[helix_module(provides = [Geometry])]
#[derive(Default)]
pub struct Relay;

#[helix_handlers]
impl Relay {
    #[on_request]
    fn relay(&mut self, path: &str, ctx: &Context) -> Result<u64, ModuleError> {
        Ok(ctx.call::<(&'static str,), u64>("caller.relay", (path,))?)
    }
}

static HANDLE: OnceLock<Handle> = OnceLock::new();

impl Geometry for Relay {
    fn mirror(&self, point: Point) -> Point {
        point
    }
    fn count(&mut self) -> u64 {
        // Through a handle, with no context at hand.
        let handle = HANDLE.get().unwrap();
        match handle.call::<(), u64>("caller.kept", ()) {
            Err(error) => panic!("{error}"),
            Ok(count) => count,
        }
    }
}

#[test]
fn a_request_that_comes_back_is_an_error_with_the_chain_at_once() {
    let runtime = Runtime::builder().modules(modules![Caller, Relay]).build().unwrap();
    runtime.start().unwrap();
    let error = runtime.call::<(&'static str,), u64>("caller.relay", ("relay.relay",)).unwrap_err();
    assert!(error.to_string().ends_with("module is busy: caller -> relay -> caller"), "{error}");
}

#[test]
fn a_kept_client_and_a_handle_know_the_chain_too() {
    let runtime = Runtime::builder().modules(modules![Caller, Relay]).build().unwrap();
    runtime.start().unwrap();
    HANDLE.set(runtime.handle()).unwrap();
    runtime.call::<(), ()>("caller.keep", ()).unwrap();
    let error = runtime.call::<(), u64>("caller.kept", ()).unwrap_err();
    assert!(error.to_string().ends_with("module is busy: caller -> relay -> caller"), "{error}");
}

#[test]
fn the_source_of_a_request_is_the_module_that_asks() {
    let runtime = Runtime::builder().modules(modules![Caller, Shapes]).build().unwrap();
    runtime.start().unwrap();
    assert_eq!(runtime.call::<(), Vec<u8>>("caller.who", ()).unwrap(), b"caller!");
}

#[test]
fn a_handle_outlives_its_runtime_and_says_so() {
    let runtime = shapes();
    let handle = runtime.handle();
    let client: GeometryClient = handle.service().unwrap();
    assert_eq!(client.count(), Ok(0));
    drop(runtime);
    assert_eq!(client.count().unwrap_err().to_string(), "the runtime has ended");
    assert_eq!(handle.publish(&Shutdown), Err(IpcError::Closed));
}

#[test]
fn threads_that_need_one_module_wait_for_each_other() {
    let runtime = shapes();
    let rounds: u64 = if cfg!(miri) { 20 } else { 2000 };
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                for _ in 0..rounds {
                    runtime.call::<(u64, u64), u64>("shapes.add", (1, 1)).unwrap();
                    assert!(runtime.call::<(&'static str,), String>("shapes.greet", ("you",)).is_ok());
                }
            });
        }
    });
    assert_eq!(runtime.call::<(), u64>("geometry.count", ()).unwrap(), 4 * rounds);
}

/// Passes on a path that it was given.
#[helix_module(name = "messenger")]
#[derive(Default)]
pub struct Messenger;

#[helix_handlers]
impl Messenger {
    #[on_request]
    fn pass_on(&self, path: String, ctx: &Context) -> bool {
        ctx.call::<(), ()>(&path, ()).is_err()
    }
}

#[test]
fn an_odd_path_is_an_error_to_the_caller_alone() {
    let runtime = Runtime::builder().modules(modules![Messenger]).build().unwrap();
    runtime.start().unwrap();
    let long = "messenger.pass_on".repeat(50);
    // The same first and last eight bytes and length as one that is there, among others.
    for path in
        ["", ".", "..", "m.", ".n", "messenger.", "messenger.pass_o", "messengerXpass_on", "messenge_.pass_on", &long]
    {
        let error = runtime.call::<(), ()>(path, ()).unwrap_err();
        assert!(matches!(error, IpcError::ModuleNotFound { .. } | IpcError::RequestNotFound { .. }), "{path}: {error}");
        assert_eq!(runtime.call::<(String,), bool>("messenger.pass_on", (path.to_string(),)), Ok(true), "{path}");
    }
}
