//! Without `std` nobody waits, and what would be entered twice is refused, kept or put off.

use std::sync::OnceLock;
use std::time::Duration;

use helix_runtime::prelude::*;
use helix_runtime::{EventSubscription, EventTopic, Module, Runtime, Transition, irq::IrqLine, modules};

#[helix_message]
#[derive(Debug, Clone, EventType)]
pub struct Ping {
    pub round: u64,
}

macro_rules! counter {
    ($version:ident $number:literal) => {
        mod $version {
            use super::Ping;
            use helix_runtime::prelude::*;

            #[helix_module(name = "counter", version = $number, flags = HOT_RELOADABLE)]
            #[derive(Default)]
            pub struct Counter {
                count: u64,
            }

            #[helix_handlers]
            impl Counter {
                #[on_event(Tick)]
                fn tick(&mut self, ctx: &Context) -> Result<(), ModuleError> {
                    self.count += 1;
                    let heard = ctx.publish(&Ping { round: self.count });
                    assert_eq!((heard.handled, heard.queued), (0, 1));
                    Ok(())
                }
                #[on_event(Ping)]
                fn ping(&mut self) {
                    self.count += 100;
                }
                #[on_event(Shutdown)]
                fn late(&self) -> EventResponse {
                    if self.count < 1000 { EventResponse::Deferred } else { EventResponse::Handled }
                }
                #[on_request]
                fn count(&self) -> u64 {
                    self.count
                }
                #[on_request]
                fn add(&mut self, by: u64) -> u64 {
                    self.count += by;
                    self.count
                }
                #[on_request]
                fn recurse(&mut self, ctx: &Context) -> Result<u64, ModuleError> {
                    Ok(ctx.call::<(), u64>("counter.count", ())?)
                }
                #[on_request]
                fn replace_me(&self) -> bool {
                    super::replace() == helix_runtime::Transition::Postponed
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
        }
    };
}
counter!(one "1.0.0");
counter!(two "2.0.0");

static RUNTIME: OnceLock<Runtime> = OnceLock::new();

fn replace() -> Transition {
    let runtime = RUNTIME.get().unwrap();
    runtime.replace(runtime.module_id("counter").unwrap(), two::Counter::DESCRIPTOR).unwrap()
}

fn started() -> Runtime {
    let runtime = Runtime::builder().modules(modules![one::Counter]).build().unwrap();
    runtime.start().unwrap();
    runtime
}

fn count(runtime: &Runtime) -> u64 {
    runtime.call::<(), u64>("counter.count", ()).unwrap()
}

#[test]
fn an_event_for_a_module_that_is_busy_comes_when_it_is_released() {
    let runtime = started();
    assert_eq!(runtime.publish(&Tick { timestamp_ns: 0, tick_number: 1 }).handled, 1);
    assert_eq!(count(&runtime), 101);
}

#[test]
fn a_call_that_comes_back_is_an_error_with_the_chain() {
    let runtime = started();
    let error = runtime.call::<(), u64>("counter.recurse", ()).unwrap_err();
    assert_eq!(error.to_string(), "counter.recurse: module is busy: counter -> counter");
}

#[test]
fn what_is_put_off_comes_with_the_poll() {
    let runtime = started();
    assert_eq!(runtime.publish(&Shutdown).deferred, 1);
    assert!(runtime.has_work());
    runtime.call::<(u64,), u64>("counter.add", (1000,)).unwrap();
    assert_eq!(runtime.poll(Duration::ZERO).redelivered, 1);
    assert!(!runtime.has_work());
}

#[test]
fn a_module_is_replaced_between_calls_and_later_when_asked_from_inside_of_one() {
    RUNTIME.set(started()).unwrap();
    let runtime = RUNTIME.get().unwrap();
    runtime.call::<(u64,), u64>("counter.add", (7,)).unwrap();
    assert!(runtime.call::<(), bool>("counter.replace_me", ()).unwrap());
    assert_eq!(runtime.modules()[0].info.version.to_string(), "1.0.0");
    assert_eq!(runtime.poll(Duration::ZERO).transitions, 1);
    assert_eq!(runtime.modules()[0].info.version.to_string(), "2.0.0");
    assert_eq!(count(runtime), 7);
    assert_eq!(replace(), Transition::Done);
    assert_eq!(runtime.poll(Duration::ZERO).retired, 0, "what was replaced is freed when no call is under way");
}

#[test]
fn listeners_come_and_go_and_messages_wait_and_expire() {
    static LINE: IrqLine = IrqLine::new();
    let runtime = Runtime::builder().line(&LINE, |count, _| Interrupt { line: 1, count }).build().unwrap();
    runtime.start().unwrap();
    let handler = Box::new(|event: &Event| match event {
        Event::Interrupt(Interrupt { count: 3, .. }) => EventResponse::Handled,
        _ => EventResponse::Ignored,
    });
    let id = runtime.subscribe(EventSubscription::new("line", vec![EventTopic::Interrupt], handler)).unwrap();
    (0..3).for_each(|_| LINE.raise());
    assert!(runtime.has_work());
    assert_eq!(runtime.poll(Duration::ZERO).raised, 3);
    runtime.unsubscribe(id).unwrap();
    runtime.router().register(9, "echo", Box::new(|request| Response::ok(request.payload.clone()))).unwrap();
    let (answer, answered) = std::sync::mpsc::channel();
    let late = answer.clone();
    let request = Request::new("say").with_payload(b"hi");
    let queued = request.clone().with_timeout(Duration::from_millis(5));
    runtime.router().queue_with(9, queued, Box::new(move |reply| late.send(reply).unwrap())).unwrap();
    assert_eq!(runtime.poll(Duration::from_millis(5)).expired, 1);
    assert!(matches!(answered.recv().unwrap(), Err(IpcError::Timeout { .. })));
    runtime.router().queue_with(9, request, Box::new(move |reply| answer.send(reply).unwrap())).unwrap();
    assert_eq!(runtime.poll(Duration::from_millis(6)).messages, 1);
    assert_eq!(answered.recv().unwrap(), Ok(Response::ok(b"hi")));
    runtime.stop().unwrap();
}

static STOPPING: OnceLock<Runtime> = OnceLock::new();

/// Hears nothing while it is stopped from inside of another.
#[helix_module(name = "bystander")]
#[derive(Default)]
pub struct Bystander;

#[helix_handlers]
impl Bystander {
    #[on_request]
    fn look_on(&self) -> bool {
        true
    }
}

#[helix_module(name = "stopper")]
#[derive(Default)]
pub struct Stopper;

#[helix_handlers]
impl Stopper {
    #[on_request]
    fn stop_the_other(&self) -> Option<String> {
        let runtime = STOPPING.get()?;
        let stopped = runtime.stop_module(runtime.module_id("bystander").ok()?);
        stopped.err().map(|error| error.to_string())
    }
}

#[test]
fn no_handler_is_named_where_nobody_knows_which_is_inside() {
    let runtime = Runtime::builder().modules(modules![Bystander, Stopper]).build().unwrap();
    runtime.start().unwrap();
    let runtime = STOPPING.get_or_init(|| runtime);
    let said = runtime.call::<(), Option<String>>("stopper.stop_the_other", ()).unwrap();
    let said = said.expect("a call is under way, perhaps in the module that is to stop");
    assert!(said.contains("a handler") && !said.contains("look_on"), "{said}");
    assert_eq!(runtime.call::<(), bool>("bystander.look_on", ()), Ok(true));
}
