//! What the projects that this one learned from get wrong, each by name: here it cannot happen.
#![allow(missing_docs)]

use std::sync::mpsc::{RecvTimeoutError, channel};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use helix_runtime::channel::{SendError, TryRecvError, channel as queue, oneshot};
use helix_runtime::prelude::*;
use helix_runtime::{
    ConfigMap, EventSubscription, EventTopic, IpcResult, MessagePriority, Module, ModuleFlags, ModuleInfo, ModuleState,
    ModuleTrait, Runtime, SavedState, SubscriptionId, modules, v1,
};

/// Fails a test that hangs.
fn within(run: impl FnOnce() + Send + 'static) {
    let (done, finished) = channel();
    let thread = std::thread::spawn(move || {
        run();
        let _ = done.send(());
    });
    assert!(finished.recv_timeout(Duration::from_secs(50)) != Err(RecvTimeoutError::Timeout), "hangs");
    thread.join().unwrap();
}

const TICK: Tick = Tick { timestamp_ns: 0, tick_number: 0 };

fn listener(handler: impl Fn() + Send + Sync + 'static) -> EventSubscription {
    let handler = move |_: &Event| {
        handler();
        EventResponse::Handled
    };
    EventSubscription::new("listener", vec![EventTopic::Tick], Box::new(handler))
}

#[test]
fn to_subscribe_and_unsubscribe_inside_a_handler_does_not_hang() {
    within(|| {
        let runtime = Runtime::builder().build().unwrap();
        let handle = runtime.handle();
        let own: Arc<Mutex<Option<SubscriptionId>>> = Arc::default();
        let seen = own.clone();
        let id = runtime.subscribe(listener(move || {
            let next = handle.subscribe(listener(|| {})).unwrap();
            let before = seen.lock().unwrap().replace(next);
            handle.unsubscribe(before.unwrap()).unwrap();
        }));
        *own.lock().unwrap() = Some(id.unwrap());
        assert_eq!(runtime.publish(&TICK).handled, 1, "whoever came meanwhile hears the next one");
        assert_eq!(runtime.publish(&TICK).handled, 1);
    });
}

/// Calls the runtime from wherever it is.
#[helix_module(flags = HOT_RELOADABLE, stateless)]
#[derive(Default)]
pub struct Caller {
    calls: u64,
}

#[helix_handlers]
impl Caller {
    #[on_init]
    fn init(&mut self, ctx: &Context) -> Result<(), ModuleError> {
        let answer: IpcResult<u64> = ctx.call::<(), u64>("caller.calls", ());
        // While it is replaced, the old one answers.
        assert!(matches!(answer, Ok(3) | Err(IpcError::NotRunning { .. })), "{answer:?}");
        Ok(())
    }
    #[on_request]
    fn calls(&mut self, ctx: &Context) -> u64 {
        self.calls += 1;
        assert!(matches!(ctx.call::<(), u64>("caller.calls", ()), Err(IpcError::Busy { .. })));
        self.calls
    }
}

#[test]
fn a_call_of_the_router_from_a_mailbox_s_handler_or_from_init_does_not_hang() {
    within(|| {
        let runtime = Arc::new(Runtime::builder().modules(modules![Caller]).build().unwrap());
        runtime.start().unwrap();
        let again = Arc::downgrade(&runtime);
        let reply = Box::new(move |answer: IpcResult<Response>| {
            assert_eq!(answer, Ok(Response::ok([1])));
            let runtime = again.upgrade().unwrap();
            let answer = runtime.router().send_to("caller", Request::new("calls"));
            assert_eq!(answer, Ok(Response::ok([2])));
            let id = runtime.module_id("caller").unwrap();
            runtime.replace(id, Caller::DESCRIPTOR).unwrap();
            runtime.remove(id).unwrap();
        });
        runtime.router().queue_with("caller", Request::new("calls"), reply).unwrap();
        assert_eq!(runtime.poll(Duration::ZERO).messages, 1);
        assert!(runtime.modules().is_empty());
    });
}

#[test]
fn a_reply_that_asks_for_a_transition_does_not_wait_for_itself() {
    within(|| {
        let runtime = Runtime::builder().drain_timeout(Duration::MAX).modules(modules![Caller]).build().unwrap();
        let runtime = Arc::new(runtime);
        runtime.start().unwrap();
        let again = Arc::downgrade(&runtime);
        let reply = Box::new(move |answer| {
            assert_eq!(answer, Err(IpcError::Closed));
            again.upgrade().unwrap().add_descriptor(Caller::DESCRIPTOR).unwrap();
        });
        runtime.router().queue_with("caller", Request::new("calls"), reply).unwrap();
        runtime.remove(runtime.module_id("caller").unwrap()).unwrap();
        assert_eq!(runtime.modules()[0].state, ModuleState::Running);
    });
}

#[test]
fn the_mailbox_asks_the_highest_priority_first() {
    let runtime = Runtime::builder().build().unwrap();
    let asked: Arc<Mutex<Vec<u8>>> = Arc::default();
    let order = asked.clone();
    let handler = Box::new(move |request: &Request| {
        order.lock().unwrap().push(request.payload[0]);
        Response::ok_empty()
    });
    runtime.router().register(1, "order", handler).unwrap();
    use MessagePriority::{Critical, High, Low, Normal};
    for (at, priority) in [Low, Normal, Critical, High, Critical, Normal].into_iter().enumerate() {
        let request = Request::new("x").with_payload([at as u8]).with_priority(priority);
        runtime.router().queue(1, request).unwrap();
    }
    runtime.poll(Duration::ZERO);
    assert_eq!(*asked.lock().unwrap(), [2, 4, 3, 1, 5, 0]);
}

#[test]
fn what_is_dropped_is_counted_and_its_sender_told() {
    let runtime = Runtime::builder().mailbox_capacity(2).ring_capacity(1).build().unwrap();
    let router = runtime.router();
    router.register(1, "slow", Box::new(|_: &Request| Response::ok_empty())).unwrap();
    let (tell, told) = channel();
    for round in 0..3 {
        let tell = tell.clone();
        let request = Request::new("x").with_timeout(Duration::from_secs(round * 100));
        let queued = router.queue_with(1, request, Box::new(move |answer| tell.send((round, answer)).unwrap()));
        assert_eq!(queued.is_err(), round == 2, "the third is refused at once");
    }
    assert_eq!(router.process_mailbox(1).unwrap(), 1);
    let (first, second) = (told.recv().unwrap(), told.recv().unwrap());
    assert!(matches!(first, (0, Err(IpcError::Timeout { .. }))) && second == (1, Ok(Response::ok_empty())));
    router.queue_with(1, Request::new("x"), Box::new(move |answer| tell.send((9, answer)).unwrap())).unwrap();
    let stats = router.stats().remove(0);
    assert_eq!((stats.queued, stats.refused, stats.expired), (3, 1, 1));
    router.unregister(1).unwrap();
    assert_eq!(told.try_recv(), Ok((9, Err(IpcError::Closed))));

    // An event that was kept for one who went is counted too.
    let defers = EventSubscription::new("later", vec![EventTopic::Tick], Box::new(|_| EventResponse::Deferred));
    let id = runtime.subscribe(defers).unwrap();
    assert_eq!((runtime.publish(&TICK).deferred, runtime.publish(&TICK).dropped), (1, 1));
    runtime.bus().pause(id).unwrap();
    let polled = runtime.poll(Duration::ZERO);
    assert_eq!((polled.redelivered, polled.dropped), (0, 1));
}

#[test]
fn a_send_that_fails_gives_the_value_back() {
    let (tx, rx) = queue::<String>(1);
    tx.send("first".into()).unwrap();
    assert_eq!(tx.send("second".into()), Err(SendError::Full("second".into())));
    drop(rx);
    assert_eq!(tx.send("third".into()), Err(SendError::Closed("third".into())));
}

#[test]
fn a_one_shot_whose_sender_is_gone_says_so_and_never_before_its_value_is_taken() {
    let (tx, rx) = oneshot::<u8>();
    assert_eq!(rx.try_recv(), Err(TryRecvError::Empty));
    drop(tx);
    assert_eq!(rx.try_recv(), Err(TryRecvError::Closed));
    let (tx, rx) = oneshot::<u8>();
    tx.send(7).unwrap();
    assert_eq!(rx.try_recv(), Ok(7));
}

struct Written;

impl ModuleTrait for Written {
    fn info(&self) -> ModuleInfo {
        let info = ModuleInfo::new("written").version(1, 2, 3).description("Counts").provides(&["counting"]);
        info.dependencies(&["caller"]).flags(ModuleFlags::ESSENTIAL)
    }
}

#[test]
fn the_first_version_s_adapter_has_the_module_s_metadata() {
    let adapted: Box<dyn v1::Module> = Box::new(v1::ModuleAdapter::new(Written));
    let metadata = adapted.metadata();
    assert_eq!((metadata.name.as_str(), metadata.version.as_str()), ("written", "1.2.3"));
    assert_eq!((metadata.description.as_str(), metadata.flags), ("Counts", ModuleFlags::ESSENTIAL));
    assert_eq!((metadata.dependencies[0].name.as_str(), metadata.provides[0].as_str()), ("caller", "counting"));
}

/// Needs what is not there, and can do without.
#[helix_module(dependencies("caller", "nobody" = { optional = true }))]
#[derive(Default)]
pub struct Needy {
    #[config(default = 3)]
    size: u32,
}

#[helix_handlers]
impl Needy {
    #[on_request]
    fn size(&self, ctx: &Context) -> Result<u32, ModuleError> {
        ctx.config_usize("size")?;
        Ok(self.size)
    }
}

#[helix_module(flags = ESSENTIAL)]
#[derive(Default)]
pub struct Vital;

#[helix_handlers]
impl Vital {}

#[test]
fn an_essential_module_cannot_go_and_a_needed_one_not_before_those_who_need_it() {
    let runtime = Runtime::builder().modules(modules![Needy, Vital, Caller]).build().unwrap();
    runtime.start().unwrap();
    let id = |name| runtime.module_id(name).unwrap();
    for go in [Runtime::stop_module, |runtime: &Runtime, id| runtime.remove(id).map(|_| ())] {
        assert!(matches!(go(&runtime, id("vital")).unwrap_err().error, ModuleError::Essential { .. }));
        let error = go(&runtime, id("caller")).unwrap_err().error;
        assert_eq!(error, ModuleError::Needed { module: "caller".into(), by: "needy".into() });
    }
    runtime.stop_module(id("needy")).unwrap();
    runtime.remove(id("caller")).unwrap();
    let error = runtime.start_module(id("needy")).unwrap_err().to_string();
    assert!(error.contains("`needy` needs `caller`, which no module here is or provides"), "{error}");
    runtime.stop().unwrap();
    assert!(runtime.start().unwrap_err().to_string().contains("`needy` needs `caller`"));
}

#[test]
fn a_missing_optional_dependency_is_no_fault_and_whoever_is_needed_goes_last() {
    let runtime = Runtime::builder().modules(modules![Needy, Caller, ..]).build().unwrap();
    let gone: Arc<Mutex<Vec<String>>> = Arc::default();
    let names = gone.clone();
    let witness = move |event: &Event| {
        if let Event::ModuleUnloaded(unloaded) = event {
            names.lock().unwrap().push(unloaded.name.as_str().to_owned());
        }
        EventResponse::Handled
    };
    runtime.subscribe(EventSubscription::new("witness", vec![EventTopic::Module], Box::new(witness))).unwrap();
    runtime.start().unwrap();
    assert_eq!(runtime.modules()[1].needs.iter().map(|(_, met)| *met).collect::<Vec<_>>(), [Some("caller"), None]);
    runtime.stop().unwrap();
    assert_eq!(*gone.lock().unwrap(), ["needy", "caller"]);
}

#[test]
fn a_configured_value_that_is_no_number_is_an_error() {
    let config: ConfigMap = [("needy.size", "three")].into_iter().collect();
    let runtime = Runtime::builder().config(config).modules(modules![Needy, Caller]).build().unwrap();
    let error = runtime.start().unwrap_err().to_string();
    assert!(error.contains("config key `size`: found `three`, expected a whole number"), "{error}");
}

static FAILS: Mutex<bool> = Mutex::new(false);
static ENDS: Mutex<Vec<&str>> = Mutex::new(Vec::new());

/// Fails to come up when it is told to.
#[helix_module(flags = HOT_RELOADABLE, stateless)]
#[derive(Default)]
pub struct Shaky {
    calls: u64,
}

#[helix_handlers]
impl Shaky {
    #[on_init]
    fn init(&mut self) -> Result<(), ModuleError> {
        if *FAILS.lock().unwrap() { Err("told to fail".into()) } else { Ok(()) }
    }
    #[on_stop]
    fn stop(&mut self) {
        ENDS.lock().unwrap().push("stop");
    }
    #[on_request]
    fn calls(&mut self) -> u64 {
        self.calls += 1;
        self.calls
    }
}

impl Drop for Shaky {
    fn drop(&mut self) {
        ENDS.lock().unwrap().push("drop");
    }
}

#[test]
fn a_failed_init_wedges_nothing_and_to_go_back_revives_nobody_who_was_torn_down() {
    let runtime = Runtime::builder().modules(modules![..]).build().unwrap();
    runtime.start().unwrap();
    *FAILS.lock().unwrap() = true;
    assert!(runtime.add_descriptor(Shaky::DESCRIPTOR).is_err());
    *FAILS.lock().unwrap() = false;
    let id = runtime.add_descriptor(Shaky::DESCRIPTOR).expect("the place is free again");
    assert_eq!(runtime.call::<(), u64>("shaky.calls", ()), Ok(1));
    ENDS.lock().unwrap().clear();

    *FAILS.lock().unwrap() = true;
    let error = runtime.replace(id, Shaky::DESCRIPTOR).unwrap_err().to_string();
    assert_eq!(error, "module `shaky`, on_init: told to fail");
    *FAILS.lock().unwrap() = false;
    assert_eq!(*ENDS.lock().unwrap(), ["drop"], "the new one went; the old one was never stopped");
    assert_eq!(runtime.call::<(), u64>("shaky.calls", ()), Ok(2), "and serves on with what it had");
    runtime.replace(id, Shaky::DESCRIPTOR).unwrap();
    assert_eq!(runtime.call::<(), u64>("shaky.calls", ()), Ok(1));
}

#[test]
fn garbage_is_not_taken_for_a_saved_state() {
    let state = SavedState { module: "needy".into(), version: 1, schema: 1, bytes: vec![0xff; 99] };
    let runtime = Runtime::builder().modules(modules![Needy, Caller]).state(state).build().unwrap();
    assert!(runtime.start().unwrap_err().to_string().contains("on_restore(version = 1)"));
}

#[test]
fn after_any_number_of_events_the_shutdown_event_is_heard() {
    let runtime = Runtime::builder().ring_capacity(4).build().unwrap();
    let last: Arc<Mutex<String>> = Arc::default();
    let heard = last.clone();
    let handler = move |event: &Event| {
        *heard.lock().unwrap() = event.name().to_owned();
        if matches!(event, Event::Shutdown(_)) { EventResponse::Handled } else { EventResponse::Deferred }
    };
    runtime.subscribe(EventSubscription::new("late", vec![EventTopic::All], Box::new(handler))).unwrap();
    runtime.start().unwrap();
    for round in 0..1_000 {
        let result = runtime.publish(&TICK);
        assert_eq!(result.dropped, u32::from(round >= 4), "those before it that are dropped are counted");
    }
    runtime.stop().unwrap();
    assert_eq!(*last.lock().unwrap(), "shutdown");
}
