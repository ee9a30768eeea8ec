//! Names, payloads, capacities and times that nobody in their right mind would give: each is refused in words, or works.
#![allow(missing_docs)]
#![cfg(not(miri))] // Megabytes, and nothing here is unsafe.

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use helix_runtime::prelude::*;
use helix_runtime::{
    Builder, ConfigMap, EventSubscription, EventTopic, ModuleAddress, ModuleState, Runtime, Supervision, modules,
};

/// Fails a test that hangs.
fn within(limit: Duration, run: impl FnOnce() + Send + 'static) {
    let (done, finished) = channel();
    let thread = std::thread::spawn(move || {
        run();
        let _ = done.send(());
    });
    if finished.recv_timeout(limit) == Err(std::sync::mpsc::RecvTimeoutError::Timeout) {
        panic!("hangs");
    }
    thread.join().unwrap();
}

const LONG: Duration = Duration::from_secs(50);

#[helix_message]
#[derive(Debug, Clone, PartialEq, EventType)]
#[event(name = "blob")]
pub struct Blob {
    pub bytes: Vec<u8>,
}

/// Answers, fails or panics as it is told.
#[helix_module(flags = HOT_RELOADABLE, stateless)]
#[derive(Default)]
pub struct Echo {
    heard: u64,
}

#[helix_handlers]
impl Echo {
    #[on_request(raw)]
    fn raw(&mut self, request: &Request) -> Result<Response, ModuleError> {
        Ok(Response::ok(request.payload.clone()))
    }
    #[on_request]
    fn length(&self, bytes: &[u8]) -> u64 {
        bytes.len() as u64
    }
    #[on_request]
    fn panics(&mut self) -> u64 {
        panic!("told to panic")
    }
    #[on_event(Blob)]
    fn blob(&mut self, blob: &Blob) {
        self.heard += blob.bytes.len() as u64;
    }
    #[on_event("bytes")]
    fn bytes(&mut self, custom: &Custom) {
        self.heard += custom.data().map_or(0, <[u8]>::len) as u64;
    }
    #[on_request]
    fn heard(&self) -> u64 {
        self.heard
    }
}

fn started(builder: Builder) -> Runtime {
    let runtime = builder.modules(modules![Echo]).build().unwrap();
    runtime.start().unwrap();
    runtime
}

/// Names that are none.
fn bad_names() -> Vec<&'static str> {
    let long: &'static str = "a".repeat(64 << 10).leak();
    vec!["", " ", "\0", "a\0b", "Ä", "名前", "UPPER", ".", "a..b", "-", "*", "a b", long, "ö".repeat(40).leak()]
}

#[test]
fn a_bad_name_is_refused_wherever_a_name_is_given() {
    let runtime = started(Runtime::builder());
    let (bus, router) = (runtime.bus(), runtime.router());
    for name in bad_names() {
        let listen = |topic| EventSubscription::new("ear", vec![topic], Box::new(|_| EventResponse::Handled));
        let refused = bus.subscribe(listen(EventTopic::Custom(name.into()))).unwrap_err();
        assert!(matches!(&refused, IpcError::BadName { name: cut } if name.starts_with(&**cut)), "{refused}");
        assert!(refused.to_string().len() < 400 && refused.to_string().contains("expected lower-case words"));
        let refused = router.register(1, name, Box::new(|_: &Request| Response::ok_empty())).unwrap_err();
        assert!(matches!(refused, IpcError::BadName { .. }), "{refused}");

        // To look for it finds nobody, and says whom it looked for.
        for error in [
            runtime.request(name, Request::new("raw")).unwrap_err(),
            runtime.call::<(), u64>(&format!("{name}.raw"), ()).unwrap_err(),
            runtime.resolve::<(), u64>(&format!("{name}.raw")).unwrap_err(),
            runtime.request_into(&format!("{name}.raw"), &[], &mut []).unwrap_err(),
            runtime.module_id(name).unwrap_err(),
            router.send(ModuleAddress::Service(name.into()), Request::new("raw")).unwrap_err(),
            router.send_to(name, Request::new("raw")).unwrap_err(),
            router.queue(name, Request::new("raw")).unwrap_err(),
            router.process_mailbox(name).unwrap_err(),
        ] {
            assert!(matches!(error, IpcError::ModuleNotFound { .. }), "{error}");
        }
        assert!(matches!(runtime.save(name), Err(ModuleError::Ipc(IpcError::ModuleNotFound { .. }))));
        let error = runtime.request("echo", Request::new(name)).unwrap_err();
        assert!(matches!(error, IpcError::RequestNotFound { .. }), "{error}");
        assert!(error.to_string().ends_with("it has: raw, length, panics, heard"), "{error}");
        assert!(matches!(router.queue("echo", Request::new(name)), Err(IpcError::RequestNotFound { .. })));
        assert!(router.broadcast(&Request::new(name)).is_empty());

        // Bytes may be published under any name: nobody can listen to it, but to everything.
        assert!(runtime.publish(&Event::from(Custom::new(name, vec![1]))).is_clean());
        let config: ConfigMap = [(format!("echo.{name}"), "1"), (format!("{name}.x"), "1")].into_iter().collect();
        let error = Runtime::builder().config(config).modules(modules![Echo]).build().unwrap_err();
        assert_eq!(error.faults.len(), 2, "{error}");
    }
    assert_eq!(runtime.call::<(), u64>("echo.heard", ()), Ok(0));
}

#[test]
fn a_crash_is_announced_under_as_much_of_a_name_as_there_is_room_for() {
    let runtime = Runtime::builder().build().unwrap();
    let heard = Arc::new(Mutex::new(Vec::new()));
    let notes = heard.clone();
    let witness = move |event: &Event| {
        if let Event::ModuleCrashed(crashed) = event {
            notes.lock().unwrap().push(crashed.name.as_str().to_owned());
        }
        EventResponse::Handled
    };
    runtime.subscribe(EventSubscription::new("witness", vec![EventTopic::Module], Box::new(witness))).unwrap();
    let name: &'static str = "ö".repeat(40).leak();
    let panics = Box::new(|_: &Event| panic!("told to panic"));
    runtime.subscribe(EventSubscription::new(name, vec![EventTopic::Tick], panics)).unwrap();
    assert_eq!(runtime.publish(&Tick { timestamp_ns: 0, tick_number: 0 }).failed, 1);
    assert_eq!(*heard.lock().unwrap(), ["ö".repeat(32)]);
}

#[test]
fn payloads_may_be_empty_or_large_everywhere() {
    let runtime = started(Runtime::builder());
    let mut expected = 0;
    for length in [0, 1, 16 << 20] {
        let bytes = vec![7_u8; length];
        expected += 2 * length as u64;
        let request = Request::new("raw").with_payload(bytes.clone());
        assert_eq!(runtime.request("echo", request.clone()), Ok(Response::ok(bytes.clone())));
        assert_eq!(runtime.call::<(&'static [u8],), u64>("echo.length", (&bytes,)), Ok(length as u64));
        assert!(runtime.publish(&Event::from(Custom::new("bytes", bytes.clone()))).is_clean());
        assert!(runtime.publish(&Blob { bytes: bytes.clone() }).is_clean());
        let (told, answer) = channel();
        let reply = Box::new(move |answer| told.send(answer).unwrap());
        runtime.router().queue_with("echo", request, reply).unwrap();
        assert_eq!(runtime.poll(Duration::ZERO).messages, 1);
        assert_eq!(answer.try_recv(), Ok(Ok(Response::ok(bytes))));
    }
    assert_eq!(runtime.call::<(), u64>("echo.heard", ()), Ok(expected));
}

#[test]
fn types_that_differ_are_named_on_both_sides() {
    let runtime = started(Runtime::builder());
    let says = |error: IpcError, text: &str| assert_eq!(error.to_string(), text);
    says(
        runtime.call::<(u8,), u64>("echo.length", (1,)).unwrap_err(),
        "arguments of `echo.length`: the caller has (u8), the module expects ([u8])",
    );
    says(
        runtime.resolve::<(), String>("echo.heard").map(|_| ()).unwrap_err(),
        "reply of `echo.heard`: the caller has str, the module expects u64",
    );
}

#[test]
fn a_panic_says_where_it_was_and_leaves_the_rest_as_it_is() {
    let panicked = "echo.panics: module `echo` panicked: told to panic";
    type Way = (&'static str, fn(&Runtime) -> IpcError);
    let ways: [Way; 4] = [
        ("call", |runtime| runtime.call::<(), u64>("echo.panics", ()).unwrap_err()),
        ("request", |runtime| runtime.request("echo", Request::new("panics")).unwrap_err()),
        ("request_into", |runtime| runtime.request_into("echo.panics", &[], &mut []).unwrap_err()),
        ("queue", |runtime| {
            let (told, answer) = channel();
            let reply = Box::new(move |answer| told.send(answer).unwrap());
            runtime.router().queue_with("echo", Request::new("panics"), reply).unwrap();
            runtime.poll(Duration::ZERO);
            answer.try_recv().unwrap().unwrap_err()
        }),
    ];
    for (way, ask) in ways {
        let runtime = started(Runtime::builder().supervision(Supervision::NEVER));
        assert_eq!(ask(&runtime).to_string(), panicked, "{way}");
        assert_eq!(runtime.modules()[0].state, ModuleState::Failed);
        assert!(runtime.publish(&Blob { bytes: vec![1] }).is_clean());
    }
    // A reply handler and an endpoint may panic as well.
    let runtime = started(Runtime::builder());
    let reply = Box::new(|_| panic!("told to panic"));
    runtime.router().queue_with("echo", Request::new("raw"), reply).unwrap();
    assert_eq!(runtime.poll(Duration::ZERO).messages, 1);
    let endpoint = Box::new(|_: &Request| -> Response { panic!("told to panic") });
    runtime.router().register(1, "door", endpoint).unwrap();
    let error = runtime.request("door", Request::new("x")).unwrap_err();
    assert_eq!(error.to_string(), "door.x: module `door` panicked: told to panic");
    let error = runtime.request("door", Request::new("x")).unwrap_err();
    assert_eq!(error.to_string(), "module `door` is failed, not running");
}

static STUCK: Mutex<Option<(Sender<()>, Receiver<()>)>> = Mutex::new(None);

/// Does not return until it is let go.
#[helix_module]
#[derive(Default)]
pub struct Stuck {
    calls: u64,
}

#[helix_handlers]
impl Stuck {
    #[on_request]
    fn hang(&mut self) -> u64 {
        let (arrived, go) = STUCK.lock().unwrap().take().unwrap();
        arrived.send(()).unwrap();
        let _ = go.recv();
        self.calls += 1;
        self.calls
    }
    #[on_request]
    fn calls(&mut self) -> u64 {
        self.calls
    }
}

#[test]
fn a_module_that_does_not_return_hinders_nobody_else() {
    within(LONG, || {
        let (arrived, is_there) = channel();
        let (let_go, go) = channel::<()>();
        *STUCK.lock().unwrap() = Some((arrived, go));
        let builder = Runtime::builder().drain_timeout(Duration::from_millis(20));
        let runtime = builder.modules(modules![Echo, Stuck]).build().unwrap();
        runtime.start().unwrap();
        std::thread::scope(|scope| {
            let call = std::thread::Builder::new().name("caller".into());
            let call = call.spawn_scoped(scope, || runtime.call::<(), u64>("stuck.hang", ())).unwrap();
            is_there.recv().unwrap();
            for _ in 0..100 {
                assert!(runtime.publish(&Blob { bytes: vec![1] }).is_clean());
                runtime.call::<(), u64>("echo.heard", ()).unwrap();
            }
            for timeout in [Duration::ZERO, Duration::from_millis(5)] {
                let error = runtime.request("stuck", Request::new("calls").with_timeout(timeout)).unwrap_err();
                assert_eq!(error, IpcError::Timeout { target: "stuck".into(), waited: timeout });
            }
            let health = runtime.health();
            let well: Vec<_> = health.iter().map(|health| (health.module, health.healthy)).collect();
            assert_eq!(well, [("echo", true), ("stuck", false)]);
            assert!(health[1].reason.as_ref().unwrap().to_string().contains("busy: stuck"));
            let error = runtime.stop_module(runtime.module_id("stuck").unwrap()).unwrap_err().to_string();
            assert!(error.ends_with("thread caller is in `stuck.hang`"), "{error}");
            let_go.send(()).unwrap();
            assert_eq!(call.join().unwrap(), Ok(1));
        });
        let forever = Request::new("calls").with_timeout(Duration::MAX);
        assert_eq!(runtime.request("stuck", forever), Ok(Response::ok([1])));
    });
}

#[test]
fn a_mailbox_that_one_has_filled_refuses_all_and_says_how_much_it_holds() {
    let runtime = started(Runtime::builder().mailbox_capacity(3));
    let router = runtime.router();
    for _ in 0..3 {
        router.queue("echo", Request::new("raw")).unwrap();
    }
    let full = IpcError::ChannelFull { channel: "the mailbox of `echo`".into(), capacity: 3 };
    assert_eq!(router.queue("echo", Request::new("raw").with_timeout(Duration::ZERO)), Err(full.clone()));
    let id = runtime.module_id("echo").unwrap();
    std::thread::scope(|scope| {
        let other = scope.spawn(|| router.queue(id, Request::new("heard")));
        assert_eq!(other.join().unwrap(), Err(full));
    });
    assert_eq!((router.stats()[0].waiting, router.stats()[0].refused), (3, 2));
    assert_eq!(runtime.poll(Duration::ZERO).messages, 3);
    router.queue("echo", Request::new("raw")).unwrap();
}

#[test]
fn capacities_may_be_nothing_or_without_a_limit() {
    for (capacity, kept) in [(0, 0), (1, 1), (usize::MAX, 1)] {
        let runtime = started(Runtime::builder().ring_capacity(capacity).mailbox_capacity(capacity));
        assert_eq!(runtime.router().queue("echo", Request::new("raw")).is_ok(), kept == 1);
        let defers = EventSubscription::new("later", vec![EventTopic::Tick], Box::new(|_| EventResponse::Deferred));
        runtime.subscribe(defers).unwrap();
        let result = runtime.publish(&Tick { timestamp_ns: 0, tick_number: 0 });
        assert_eq!((result.deferred, result.dropped, result.is_clean()), (kept, 1 - kept, kept == 1));
        assert_eq!(runtime.poll(Duration::ZERO).redelivered, kept);
    }
}

#[test]
fn depths_and_times_may_be_nothing_or_without_a_limit() {
    within(LONG, || {
        for (depth, time) in [(0, Duration::ZERO), (u32::MAX, Duration::MAX)] {
            let supervision = Supervision {
                health_interval: Some(time),
                intensity: depth,
                period: time,
                backoff: time,
                longest_backoff: time,
            };
            let builder = Runtime::builder().depth_limit(depth).drain_timeout(time).supervision(supervision);
            let runtime = started(builder);
            let request = Request::new("raw").with_timeout(time);
            assert_eq!(runtime.request("echo", request.clone()), Ok(Response::ok_empty()));
            let answers = Arc::new(AtomicU32::new(0));
            for now in [Duration::from_secs(5), Duration::ZERO, Duration::MAX, Duration::from_secs(1), Duration::MAX] {
                let count = answers.clone();
                let reply = Box::new(move |_| {
                    count.fetch_add(1, Ordering::Relaxed);
                });
                runtime.router().queue_with("echo", request.clone(), reply).unwrap();
                runtime.poll(now);
            }
            assert_eq!(answers.load(Ordering::Relaxed), 5, "each is answered or told that it is too late");
            assert!(runtime.call::<(), u64>("echo.panics", ()).is_err());
            (0..3).for_each(|_| {
                runtime.poll(Duration::MAX);
            });
            let id = runtime.module_id("echo").unwrap();
            if runtime.modules()[0].state == ModuleState::Failed {
                runtime.replace(id, <Echo as helix_runtime::Module>::DESCRIPTOR).unwrap();
            }
            runtime.stop_module(id).unwrap();
            runtime.start_module(id).unwrap();
            runtime.stop().unwrap();
        }
    });
}

#[test]
fn deadlines_are_kept_by_the_clock_that_was_set() {
    let now = Arc::new(AtomicU32::new(1_000));
    let clock = now.clone();
    let clock = move || Duration::from_millis(clock.load(Ordering::Relaxed).into());
    let runtime = started(Runtime::builder().clock(clock));
    runtime.router().queue("echo", Request::new("raw").with_timeout(Duration::from_millis(5))).unwrap();
    now.store(1_005, Ordering::Relaxed);
    // What `poll` is told has another beginning.
    let polled = runtime.poll(Duration::ZERO);
    assert_eq!((polled.expired, polled.messages), (1, 0));
}
