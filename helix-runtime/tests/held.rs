//! Nothing of the runtime's own is held while user code runs: whatever it calls comes back, and all works afterwards.
#![allow(missing_docs)]

mod within;

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, OnceLock};
use std::time::Duration;

use helix_runtime::irq::IrqLine;
use helix_runtime::prelude::*;
use helix_runtime::{
    Clock, Config, EventSubscription, EventTopic, Module, ModuleId, ModuleInfo, ModuleTrait, RequestHandler, Runtime,
    SubscriptionId, modules,
};
use within::{doing, until, within};

static RUNTIME: OnceLock<Runtime> = OnceLock::new();

/// The place whose code is to call everything, and whether it has.
static TARGET: Mutex<&str> = Mutex::new("");
static TRYING: AtomicBool = AtomicBool::new(false);
/// The subscription of the closure that is called.
static OWN: Mutex<Option<SubscriptionId>> = Mutex::new(None);

fn runtime() -> &'static Runtime {
    RUNTIME.get().unwrap()
}

fn id(name: &str) -> ModuleId {
    runtime().module_id(name).unwrap_or_else(|_| runtime().module_id("spare").unwrap())
}

fn silent(topic: &'static str) -> EventSubscription {
    EventSubscription::new("silent", vec![EventTopic::Custom(topic.into())], Box::new(|_| EventResponse::Handled))
}

fn custom(name: &'static str) -> Event {
    Custom::new(name, []).into()
}

struct ByHand(&'static str);

impl ModuleTrait for ByHand {
    fn info(&self) -> ModuleInfo {
        ModuleInfo::new(self.0)
    }
}

/// A module that comes and goes.
#[helix_module(name = "visitor")]
#[derive(Default)]
pub struct Visitor;

#[helix_handlers]
impl Visitor {}

/// All that a runtime offers, each of which may fail here, and must come back.
type Call = (&'static str, fn(&Runtime));
const CALLS: &[Call] = &[
    ("subscribe, pause, resume, unsubscribe", |runtime| {
        let subscription = runtime.subscribe(silent("held.silent")).unwrap();
        runtime.bus().pause(subscription).unwrap();
        runtime.bus().resume(subscription).unwrap();
        runtime.unsubscribe(subscription).unwrap();
        assert!(runtime.unsubscribe(subscription).is_err());
    }),
    ("pause and resume oneself", |runtime| {
        if let Some(own) = *OWN.lock().unwrap() {
            drop((runtime.bus().pause(own), runtime.bus().resume(own)));
        }
    }),
    ("unsubscribe oneself", |runtime| {
        let own = OWN.lock().unwrap().take();
        if let Some(own) = own {
            runtime.unsubscribe(own).unwrap();
        }
    }),
    ("pause_all, resume_all", |runtime| {
        runtime.bus().pause_all();
        assert!(runtime.publish(&custom("held.silent")).paused);
        runtime.bus().resume_all();
    }),
    ("publish", |runtime| {
        let _ = runtime.publish(&Tick { timestamp_ns: 0, tick_number: 0 });
        let _ = runtime.publish(&custom("held.shared"));
        let _ = runtime.publish(&custom("held.alone"));
    }),
    ("request", |runtime| {
        let _ = runtime.request("probe", Request::new("raw"));
        let _ = runtime.request("spare", Request::new("count"));
        let _ = runtime.request("nobody", Request::new("raw"));
        let _ = runtime.router().broadcast(&Request::new("count"));
    }),
    ("call", |runtime| {
        let _ = runtime.call::<(), u64>("probe.shared", ());
        let _ = runtime.call::<(), u64>("probe.alone", ());
        let _ = runtime.call::<(), u64>("spare.count", ());
    }),
    ("queue", |runtime| {
        for target in ["spare", "probe"] {
            let _ = runtime.router().queue_with(target, Request::new("raw"), Box::new(|_| {}));
        }
    }),
    ("process_mailbox", |runtime| {
        let _ = runtime.router().process_mailbox("spare");
        let _ = runtime.router().process_mailbox("probe");
    }),
    ("register, unregister", |runtime| {
        let handler = |_: &Request| Response::ok_empty();
        runtime.router().register(77, "passing", Box::new(handler)).unwrap();
        let _ = runtime.router().send_to("passing", Request::new("raw"));
        runtime.router().unregister(77).unwrap();
    }),
    ("unregister the target", |runtime| drop(runtime.router().unregister(1))),
    ("add, remove", |runtime| {
        if let Ok(added) = runtime.add(Box::new(ByHand("passing"))) {
            runtime.remove(added).unwrap();
        }
        if let Ok(added) = runtime.add_descriptor(Visitor::DESCRIPTOR) {
            runtime.remove(added).unwrap();
        }
    }),
    ("replace", |runtime| {
        let _ = runtime.replace(id("spare"), Spare::DESCRIPTOR);
        let _ = runtime.replace(id("probe"), Probe::DESCRIPTOR);
    }),
    ("stop_module, start_module", |runtime| {
        for name in ["spare", "probe"] {
            let _ = runtime.stop_module(id(name));
            let _ = runtime.start_module(id(name));
        }
    }),
    ("start", |runtime| drop(runtime.start())),
    ("health", |runtime| drop(runtime.health())),
    ("modules, graph", |runtime| drop((runtime.modules(), runtime.graph(), format!("{runtime:?}")))),
    ("stats", |runtime| drop((runtime.bus().stats(), runtime.router().stats()))),
    ("save", |runtime| drop((runtime.save("spare"), runtime.save("probe")))),
    ("poll", |runtime| {
        let _ = runtime.poll(Duration::ZERO);
        let _ = runtime.has_work();
    }),
];

/// Calls all of it, if this is the place that is to.
fn everything(place: &str) {
    let is_meant = *TARGET.lock().unwrap() == place;
    if !is_meant || TRYING.swap(true, Ordering::SeqCst) {
        return;
    }
    for (name, call) in CALLS {
        doing(format!("in {place}: {name}"));
        call(runtime());
    }
    *TARGET.lock().unwrap() = "";
    TRYING.store(false, Ordering::SeqCst);
}

fn new_probe() -> Probe {
    everything("create");
    Probe
}

#[helix_module(name = "probe", flags = HOT_RELOADABLE, new = new_probe)]
pub struct Probe;

impl Drop for Probe {
    fn drop(&mut self) {
        everything("drop of a module");
    }
}

#[helix_handlers]
impl Probe {
    #[on_init]
    fn init(&mut self) {
        everything("on_init");
    }
    #[on_start]
    fn start(&mut self) {
        everything("on_start");
    }
    #[on_stop]
    fn stop(&mut self) {
        everything("on_stop");
    }
    #[on_health]
    fn health(&self) -> bool {
        everything("on_health");
        true
    }
    #[on_save(version = 1)]
    fn save(&self) -> u8 {
        everything("on_save");
        0
    }
    #[on_restore(version = 1)]
    fn restore(&mut self, _: u8) {
        everything("on_restore");
    }
    #[on_event("held.shared")]
    fn event_shared(&self) {
        everything("an event handler with &self");
    }
    #[on_event("held.alone")]
    fn event_alone(&mut self) {
        everything("an event handler with &mut self");
    }
    #[on_event(Kept)]
    fn keep(&self) -> EventResponse {
        EventResponse::Deferred
    }
    #[on_request]
    fn shared(&self) -> u64 {
        everything("a request handler with &self");
        1
    }
    #[on_request]
    fn alone(&mut self) -> u64 {
        everything("a request handler with &mut self");
        1
    }
    #[on_request("raw", raw)]
    fn raw(&mut self, _: &Request) -> Result<Response, ModuleError> {
        everything("a raw request handler");
        Ok(Response::ok_empty())
    }
}

/// Somebody else, with a state.
#[helix_module(name = "spare", provides = ["extra"], flags = HOT_RELOADABLE)]
#[derive(Default)]
pub struct Spare {
    count: u64,
}

#[helix_handlers]
impl Spare {
    #[on_request]
    fn count(&mut self) -> u64 {
        self.count += 1;
        self.count
    }
    #[on_save(version = 1)]
    fn save(&self) -> u64 {
        self.count
    }
    #[on_restore(version = 1)]
    fn restore(&mut self, count: u64) {
        self.count = count;
    }
}

/// An event that is put off, so it is cloned.
#[helix_message]
#[derive(EventType)]
#[event(topic = "held", name = "held.kept")]
pub struct Kept(u8);

impl Drop for Kept {
    fn drop(&mut self) {
        everything("the drop of an event");
    }
}

impl Clone for Kept {
    fn clone(&self) -> Self {
        everything("an event's clone");
        Self(self.0)
    }
}

/// Dropped with whoever captured it.
pub struct Captured(&'static str);

impl Drop for Captured {
    fn drop(&mut self) {
        everything(self.0);
    }
}

struct Curious;

impl Config for Curious {
    fn value(&self, _: &str, _: &str) -> Option<&str> {
        everything("Config::value");
        None
    }
    fn keys(&self) -> Vec<(&str, &str)> {
        everything("Config::keys");
        Vec::new()
    }
}

impl Clock for Curious {
    fn now(&self) -> Duration {
        everything("Clock::now");
        Duration::ZERO
    }
}

static LINE: IrqLine = IrqLine::new();

fn listen(captured: Captured) -> SubscriptionId {
    let hear = move |_: &Event| {
        let _ = &captured;
        everything("a closure that listens");
        EventResponse::Handled
    };
    let topics = vec![EventTopic::Custom("held.closure".into())];
    runtime().subscribe(EventSubscription::new("listener", topics, Box::new(hear))).unwrap()
}

fn answer(captured: Captured) -> RequestHandler {
    Box::new(move |_| {
        let _ = &captured;
        everything("a closure that answers");
        Response::ok_empty()
    })
}

fn turn_over() {
    let _ = runtime().replace(id("probe"), Probe::DESCRIPTOR);
}

fn publish(topic: &'static str) {
    let _ = runtime().publish(&custom(topic));
}

/// Each place, and how one comes there.
const PLACES: &[(&str, fn())] = &[
    ("an event handler with &self", || publish("held.shared")),
    ("an event handler with &mut self", || publish("held.alone")),
    ("a request handler with &self", || drop(runtime().call::<(), u64>("probe.shared", ()))),
    ("a request handler with &mut self", || drop(runtime().call::<(), u64>("probe.alone", ()))),
    ("a raw request handler", || drop(runtime().request("probe", Request::new("raw")))),
    ("a closure that listens", || {
        *OWN.lock().unwrap() = Some(listen(Captured("")));
        publish("held.closure");
    }),
    ("a closure that answers", || {
        runtime().router().register(1, "answerer", answer(Captured(""))).unwrap();
        let _ = runtime().router().send_to("answerer", Request::new("any"));
    }),
    ("a mailbox's reply", || {
        let reply = Box::new(|_| everything("a mailbox's reply"));
        runtime().router().queue_with("spare", Request::new("count"), reply).unwrap();
        let _ = runtime().poll(Duration::ZERO);
    }),
    ("create", turn_over),
    ("on_init", turn_over),
    ("on_start", turn_over),
    ("on_stop", turn_over),
    ("on_health", || drop(runtime().health())),
    ("on_save", turn_over),
    ("on_restore", turn_over),
    ("drop of a module", || {
        turn_over();
        until(|| runtime().poll(Duration::ZERO).retired == 0);
    }),
    ("the drop of what a listener has captured", || {
        let own = listen(Captured("the drop of what a listener has captured"));
        runtime().unsubscribe(own).unwrap();
        until(|| runtime().poll(Duration::ZERO).retired == 0);
    }),
    ("the drop of a listener that is refused", || {
        let captured = Captured("the drop of a listener that is refused");
        let hear = move |_: &Event| {
            let _ = &captured;
            EventResponse::Handled
        };
        let topics = vec![EventTopic::Custom("Bad Name".into())];
        runtime().subscribe(EventSubscription::new("refused", topics, Box::new(hear))).unwrap_err();
    }),
    ("the drop of what an answerer has captured", || {
        let handler = answer(Captured("the drop of what an answerer has captured"));
        runtime().router().register(2, "answerer2", handler).unwrap();
        runtime().router().unregister(2).unwrap();
        until(|| runtime().poll(Duration::ZERO).retired == 0);
    }),
    ("the drop of an answerer that is refused", || {
        let handler = answer(Captured("the drop of an answerer that is refused"));
        runtime().router().register(2, "spare", handler).unwrap_err();
    }),
    ("the drop of a reply that nobody gives", || {
        let captured = Captured("the drop of a reply that nobody gives");
        let reply = Box::new(move |_| drop(captured));
        runtime().router().queue_with("nobody", Request::new("count"), reply).unwrap_err();
    }),
    ("an event's clone", || drop(runtime().publish(&Kept(0)))),
    ("the drop of an event", || {
        let _ = runtime().publish(&Kept(0));
        let _ = runtime().stop_module(id("probe"));
        let _ = runtime().poll(Duration::ZERO);
    }),
    ("an interrupt's closure", || {
        LINE.raise();
        let _ = runtime().poll(Duration::ZERO);
    }),
    ("Config::value", turn_over),
    ("Config::keys", || {
        let added = runtime().add(Box::new(ByHand("keys"))).unwrap();
        runtime().remove(added).unwrap();
    }),
    ("Clock::now", || publish("held.shared")),
];

#[test]
fn user_code_may_call_everything_from_everywhere() {
    within(20, || {
        let runtime = Runtime::builder()
            .config(Curious)
            .clock(Curious)
            .statistics()
            .drain_timeout(Duration::from_secs(2))
            .line(&LINE, |count, _| {
                everything("an interrupt's closure");
                Interrupt { line: 1, count }
            })
            .modules(modules![Probe, Spare, ..])
            .build()
            .unwrap();
        assert!(RUNTIME.set(runtime).is_ok());
        let runtime = RUNTIME.get().unwrap();
        runtime.start().unwrap();
        for (place, come) in PLACES {
            *TARGET.lock().unwrap() = place;
            doing(format!("on the way to {place}"));
            let began = std::time::Instant::now();
            come();
            assert_eq!(*TARGET.lock().unwrap(), "", "nobody came to {place}");
            assert!(cfg!(miri) || began.elapsed() < Duration::from_secs(2), "{place}: something waited for itself");

            doing(format!("after {place}"));
            let _ = runtime.poll(Duration::ZERO);
            for name in ["probe", "spare"] {
                let _ = runtime.start_module(id(name));
            }
            assert_eq!(runtime.call::<(), u64>("probe.alone", ()), Ok(1), "after {place}");
            assert!(runtime.call::<(), u64>("spare.count", ()).is_ok(), "after {place}");
            assert_eq!(runtime.publish(&custom("held.shared")).handled, 1, "after {place}");
            until(|| runtime.poll(Duration::ZERO).retired == 0);
            assert!(runtime.replace(id("probe"), Probe::DESCRIPTOR).is_ok(), "after {place}");
        }
    });
}
