//! Whom a panic handler would name, where there is neither a thread nor anyone who catches.

use std::sync::{Mutex, OnceLock};

use helix_runtime::prelude::*;
use helix_runtime::{EventSubscription, EventTopic, Handle, Runtime, irq, modules};

static RUNTIME: OnceLock<Runtime> = OnceLock::new();
static SEEN: Mutex<Vec<(&str, Option<&str>)>> = Mutex::new(Vec::new());

/// What a panic at this place would name.
fn look(place: &'static str) {
    // SAFETY: one test of this file calls the runtime, on its own thread.
    let module = RUNTIME.get().and_then(|runtime| unsafe { runtime.current_module() });
    SEEN.lock().unwrap().push((place, module));
}

#[helix_module(name = "inner")]
pub struct Inner;

impl Default for Inner {
    fn default() -> Self {
        look("inner's default");
        Self
    }
}

#[helix_handlers]
impl Inner {
    #[on_init]
    fn init(&mut self) {
        look("inner's on_init");
    }
    #[on_stop]
    fn stop(&mut self) {
        look("inner's on_stop");
    }
    #[on_event(Tick)]
    fn tick(&mut self) {
        look("inner's tick");
    }
    #[on_request]
    fn work(&mut self) {
        look("inner's work");
    }
    #[on_health]
    fn healthy(&self) -> bool {
        look("inner's on_health");
        true
    }
}

#[helix_module(name = "outer", dependencies("inner"))]
#[derive(Default)]
pub struct Outer {
    handle: Option<Handle>,
}

#[helix_handlers]
impl Outer {
    #[on_init]
    fn init(&mut self, ctx: &Context) {
        self.handle = Some(ctx.handle());
    }
    #[on_request]
    fn by_context(&mut self, ctx: &Context) -> Result<(), ModuleError> {
        look("outer, before");
        ctx.call::<(), ()>("inner.work", ())?;
        look("outer, after");
        Ok(())
    }
    /// A kept handle does not know its chain here.
    #[on_request]
    fn by_handle(&mut self) -> Result<(), ModuleError> {
        if let Some(handle) = &self.handle {
            handle.call::<(), ()>("inner.work", ())?;
        }
        look("outer, after");
        Ok(())
    }
    #[on_event(Tick)]
    fn tick(&mut self) {
        look("outer's tick");
    }
}

fn seen() -> Vec<(&'static str, Option<&'static str>)> {
    std::mem::take(&mut SEEN.lock().unwrap())
}

#[test]
fn the_innermost_module_is_named_and_the_outer_one_when_that_has_returned() {
    let runtime = RUNTIME.get_or_init(|| Runtime::builder().modules(modules![Outer, Inner]).build().unwrap());
    look("before the start");
    runtime.start().unwrap();
    assert_eq!(
        seen(),
        [("before the start", None), ("inner's default", Some("inner")), ("inner's on_init", Some("inner"))]
    );

    for way in ["outer.by_context", "outer.by_handle"] {
        runtime.call::<(), ()>(way, ()).unwrap();
        let expected =
            [("outer, before", Some("outer")), ("inner's work", Some("inner")), ("outer, after", Some("outer"))];
        let begins = usize::from(way == "outer.by_handle");
        assert_eq!(seen(), expected[begins..], "{way}");
    }

    assert!(runtime.publish(&Tick { timestamp_ns: 0, tick_number: 1 }).is_clean());
    assert_eq!(seen(), [("outer's tick", Some("outer")), ("inner's tick", Some("inner"))]);
    let closure = Box::new(|_: &Event| {
        look("a closure");
        EventResponse::Handled
    });
    let topics = vec![EventTopic::Shutdown];
    let id = runtime.subscribe(EventSubscription::new("the-closure", topics, closure)).unwrap();
    assert_eq!(runtime.publish(&Shutdown).handled, 1);
    runtime.unsubscribe(id).unwrap();
    assert_eq!(seen(), [("a closure", Some("the-closure"))]);

    assert!(runtime.health().iter().all(|health| health.healthy));
    assert_eq!(seen(), [("inner's on_health", Some("inner"))]);
    runtime.stop().unwrap();
    look("after the stop");
    assert_eq!(seen(), [("inner's on_stop", Some("inner")), ("after the stop", None)]);
    interrupts_are_told(runtime);
}

/// In every build without `std`, and not only in debug builds.
fn interrupts_are_told(runtime: &Runtime) {
    use std::panic::{AssertUnwindSafe, catch_unwind};
    use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
    static INSIDE: AtomicBool = AtomicBool::new(false);

    irq::detect_with(|| INSIDE.load(Relaxed));
    let calls: [(&str, &dyn Fn()); 4] = [
        ("publish", &|| assert_eq!(runtime.publish(&Shutdown).handled, 0)),
        ("call", &|| drop(runtime.call::<(), ()>("inner.work", ()))),
        ("poll", &|| assert_eq!(runtime.poll(core::time::Duration::ZERO).raised, 0)),
        ("modules", &|| drop(runtime.modules())),
    ];
    for (name, call) in calls {
        INSIDE.store(true, Relaxed);
        let caught = catch_unwind(AssertUnwindSafe(call));
        INSIDE.store(false, Relaxed);
        let panicked = caught.expect_err(name);
        let message = panicked.downcast_ref::<String>().map_or("", String::as_str);
        assert!(message.contains("was asked for in an interrupt"), "{name}: {message}");
    }
}
