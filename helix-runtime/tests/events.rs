//! How events are delivered.
#![allow(missing_docs)]

use std::sync::{Arc, Mutex};

use helix_runtime::prelude::*;
use helix_runtime::{Publish, PublishResult, Runtime, modules};

/// What happened, in order; shared by all modules of one test through their constructor.
type Trace = Arc<Mutex<Vec<String>>>;

thread_local! {
    static TRACE: Trace = Trace::default();
}

fn trace() -> Trace {
    TRACE.with(Clone::clone)
}

fn taken() -> Vec<String> {
    std::mem::take(&mut trace().lock().unwrap())
}

fn started(set: helix_runtime::ModuleSet) -> Runtime {
    let runtime = Runtime::builder().modules(set).build().unwrap();
    runtime.start().unwrap();
    taken();
    runtime
}

fn clean(result: PublishResult) -> u32 {
    assert!(result.is_clean(), "{result:?}");
    result.handled
}

macro_rules! listener {
    ($ident:ident $new:ident $name:literal { $($body:tt)* }) => {
        #[helix_module(name = $name, new = $new)]
        pub struct $ident {
            trace: Trace,
        }
        fn $new() -> $ident {
            $ident { trace: trace() }
        }
        #[helix_handlers]
        impl $ident {
            $($body)*
        }
        impl $ident {
            #[allow(dead_code)]
            fn note(&self, what: impl std::fmt::Display) {
                self.trace.lock().unwrap().push(format!("{}: {what}", $name));
            }
        }
    };
}

#[helix_message]
#[derive(Debug, Clone, PartialEq, EventType)]
#[event(topic = "net", name = "net.packet")]
pub struct Packet {
    pub bytes: Vec<u8>,
}

#[helix_message]
#[derive(Debug, Clone, PartialEq, EventType)]
#[event(topic = "net", name = "net.link")]
pub struct Link {
    pub up: bool,
}

listener!(Late new_late "late" {
    #[on_event(Tick, priority = LOW)]
    fn tick(&self) { self.note("tick"); }
});
listener!(First new_first "first" {
    #[on_event(Tick)]
    fn tick(&self, tick: &Tick) { self.note(tick.tick_number); }
});
listener!(Second new_second "second" {
    #[on_event(Tick)]
    fn tick(&mut self, tick: &Tick) { self.note(tick.tick_number); }
    #[on_event(Tick, priority = 7)]
    fn seventh(&mut self) { self.note("seventh"); }
});
listener!(Early new_early "early" {
    #[on_event(Tick, priority = HIGHEST)]
    fn tick(&self, event: &Event) { self.note(event.name()); }
});

#[test]
fn handlers_run_by_priority_then_in_the_order_of_the_list() {
    let runtime = started(modules![Late, First, Second, Early]);
    assert_eq!(clean(runtime.publish(&Tick { timestamp_ns: 0, tick_number: 3 })), 5);
    assert_eq!(taken(), ["early: tick", "second: seventh", "first: 3", "second: 3", "late: tick"]);
}

listener!(Typed new_typed "typed" {
    #[on_event(Packet)]
    fn packet(&self, packet: &Packet) { self.note(packet.bytes.len()); }
});
listener!(Named new_named "named" {
    #[on_event("net")]
    fn net(&self, custom: &Custom) {
        self.note(format_args!("{} {} {:?}", custom.name(), custom.get::<Packet>().is_some(), custom.data()));
    }
});
listener!(ByName new_by_name "by-name" {
    #[on_event("net.link")]
    fn link(&self, event: &Event) { self.note(event.name()); }
});
listener!(All new_all "all" {
    #[on_event(Event, priority = LOWEST)]
    fn all(&self, event: &Event) { self.note(format_args!("{}/{}", event.topic(), event.name())); }
});

#[test]
fn a_type_a_topic_a_name_and_everything_are_heard() {
    let runtime = started(modules![Typed, Named, ByName, All]);
    assert_eq!(clean(runtime.publish(&Packet { bytes: vec![1, 2] })), 3);
    assert_eq!(taken(), ["typed: 2", "named: net.packet true None", "all: net/net.packet"]);

    // No module names the type `Link`, so the topic and the name alone find its listeners.
    assert_eq!(clean(runtime.publish(&Link { up: true })), 3);
    assert_eq!(taken(), ["named: net.link false None", "by-name: net.link", "all: net/net.link"]);

    // As bytes the event is heard by name, and by nobody who wants the type.
    assert_eq!(clean(runtime.publish(&Event::from(Custom::new("net.packet", vec![7])))), 1);
    assert_eq!(taken(), ["all: net.packet/net.packet"]);

    // As the enum it is the same event.
    let event = Event::from(Custom::from_event(Packet { bytes: vec![0; 9] }));
    assert_eq!(clean(runtime.publish(&event)), 3);
    assert_eq!(taken(), ["typed: 9", "named: net.packet true None", "all: net/net.packet"]);
    assert_eq!(clean(runtime.publish(&Event::from(Tick { timestamp_ns: 0, tick_number: 0 }))), 1);
    assert_eq!(taken(), ["all: tick/tick"]);
}

listener!(Grouped new_grouped "grouped" {
    #[on_event(Process)]
    fn process(&self, event: &Event) { self.note(event.name()); }
    #[on_event(ProcessExited)]
    fn exited(&self, event: &ProcessExited) { self.note(event.pid); }
    #[on_event(Tick)]
    #[on_event(Shutdown)]
    fn either(&self) { self.note("either"); }
});

#[test]
fn a_topic_groups_events_and_a_handler_may_hear_several() {
    let runtime = started(modules![Grouped]);
    assert_eq!(clean(runtime.publish(&ProcessCreated { pid: 4 })), 1);
    assert_eq!(clean(runtime.publish(&ProcessExited { pid: 4, code: 0 })), 2);
    assert_eq!(clean(runtime.publish(&Tick { timestamp_ns: 0, tick_number: 0 })), 1);
    assert_eq!(clean(runtime.publish(&Shutdown)), 1);
    assert_eq!(
        taken(),
        ["grouped: process.created", "grouped: process.exited", "grouped: 4", "grouped: either", "grouped: either"]
    );
}

listener!(Keeper new_keeper "keeper" {
    #[on_event(Event)]
    fn keep(&mut self, event: &Event, ctx: &Context) {
        // A copy outlives the publication, and can be published again from elsewhere.
        let copy = event.clone();
        if let Event::Custom(custom) = &copy && let Some(packet) = custom.get::<Packet>() {
            self.note(packet.bytes.len());
            KEPT.with(|kept| *kept.borrow_mut() = Some(copy.clone()));
        }
        assert_eq!(ctx.name(), "keeper");
    }
});

thread_local! {
    static KEPT: std::cell::RefCell<Option<Event>> = const { std::cell::RefCell::new(None) };
}

#[test]
fn a_clone_of_an_event_owns_its_value() {
    let runtime = started(modules![Keeper]);
    clean(runtime.publish(&Packet { bytes: vec![0; 5] }));
    let kept = KEPT.with(|kept| kept.borrow_mut().take()).unwrap();
    clean(runtime.publish(&kept));
    assert_eq!(taken(), ["keeper: 5", "keeper: 5"]);
}

listener!(Troubled new_troubled "troubled" {
    #[on_event(Tick)]
    fn tick(&mut self, tick: &Tick) -> Result<(), ModuleError> {
        match tick.tick_number {
            0 => Ok(()),
            1 => Err(ModuleError::new("one is wrong")),
            _ => panic!("two is worse"),
        }
    }
    #[on_event(Shutdown)]
    fn shutdown(&self) -> EventResponse { EventResponse::Ignored }
});
listener!(Witness new_witness "witness" {
    #[on_event(Tick)]
    fn tick(&self) -> EventResponse { EventResponse::Handled }
    #[on_event(ModuleCrashed)]
    fn crashed(&self, crashed: &ModuleCrashed) { self.note(crashed.name.as_str()); }
});

#[test]
fn failures_are_counted_and_a_panic_fails_its_module_alone() {
    let runtime = started(modules![Troubled, Witness]);
    let tick = |tick_number| runtime.publish(&Tick { timestamp_ns: 0, tick_number });
    assert_eq!(tick(0).handled, 2);

    let result = tick(1);
    assert_eq!((result.handled, result.failed), (1, 1));
    assert_eq!(result.first_error.unwrap().1.to_string(), "one is wrong");

    let result = tick(2);
    assert_eq!((result.handled, result.failed), (1, 1));
    assert_eq!(result.first_error.unwrap().1.to_string(), "module `troubled` panicked: two is worse");
    assert_eq!(taken(), ["witness: troubled"]);

    assert_eq!(tick(0).handled, 1, "a failed module hears nothing");
    let states: Vec<_> = runtime.modules().iter().map(|module| module.state.to_string()).collect();
    assert_eq!(states, ["failed", "running"]);
}

#[test]
fn ignored_is_counted_apart() {
    let runtime = started(modules![Troubled]);
    let result = runtime.publish(&Shutdown);
    assert_eq!((result.handled, result.ignored), (0, 1));
}

listener!(Echo new_echo "echo" {
    #[on_event(Link)]
    fn link(&mut self, _: &Link, ctx: &Context) {
        let result = ctx.publish(&Packet { bytes: vec![] });
        self.note(format_args!("{} handled, {} queued", result.handled, result.queued));
    }
    #[on_event(Packet)]
    fn packet(&self) { self.note("packet"); }
});

#[test]
fn an_event_for_a_module_that_is_busy_in_the_same_chain_comes_when_it_is_released() {
    let runtime = started(modules![Echo, Typed]);
    assert_eq!(clean(runtime.publish(&Link { up: true })), 1);
    assert_eq!(taken(), ["typed: 0", "echo: 1 handled, 1 queued", "echo: packet"]);
}

listener!(Recursive new_recursive "recursive" {
    #[on_event(Link)]
    fn link(&self, link: &Link, ctx: &Context) -> Result<(), ModuleError> {
        let result = ctx.publish(link);
        match result.first_error {
            Some((_, error)) => Err(error),
            None => Ok(()),
        }
    }
});

#[test]
fn endless_publication_ends_with_an_error_that_shows_the_chain() {
    let runtime = Runtime::builder().modules(modules![Recursive]).depth_limit(3).build().unwrap();
    runtime.start().unwrap();
    let result = runtime.publish(&Link { up: true });
    assert_eq!(
        result.first_error.unwrap().1.to_string(),
        "calls are nested deeper than 3: recursive -> recursive -> recursive"
    );
}

fn takes_any(event: &impl Publish, runtime: &Runtime) -> u32 {
    runtime.publish(event).handled
}

#[test]
fn a_stopped_module_hears_nothing() {
    let runtime = started(modules![First]);
    runtime.stop().unwrap();
    assert_eq!(takes_any(&Tick { timestamp_ns: 0, tick_number: 0 }, &runtime), 0);
    runtime.start().unwrap();
    assert_eq!(takes_any(&Tick { timestamp_ns: 0, tick_number: 0 }, &runtime), 1);
}
