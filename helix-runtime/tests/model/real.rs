//! A program run by the runtime itself: what it does, told line by line.

use std::cell::{Cell, OnceCell, RefCell};
use std::collections::HashMap;
use std::rc::Rc;
use std::time::Duration;

use helix_runtime::prelude::*;
use helix_runtime::{
    EventSubscription, LifecycleError, ModuleAddress, PublishResult, Runtime, SubscriptionId, SubscriptionPriority,
    Supervision,
};

use crate::modules::{Alpha, Beta, Gamma, Link, MODULES, Packet};
use crate::step::{Act, ENDPOINTS, Outcome, Script, Step, To, What, Which};
use crate::{DEPTH, MAILBOX, RING};

/// Whose handler is called.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Who {
    Outside,
    Module(usize),
    Listener(usize),
    Endpoint(usize),
    Letter(usize),
}

#[derive(Default)]
struct World {
    runtime: OnceCell<Runtime>,
    trace: RefCell<Vec<String>>,
    scripts: RefCell<HashMap<Who, Script>>,
    subscriptions: RefCell<Vec<Option<SubscriptionId>>>,
    endpoints: Cell<usize>,
    letters: Cell<usize>,
    now: Cell<u64>,
}

thread_local! {
    static WORLD: RefCell<Rc<World>> = RefCell::default();
}

fn world() -> Rc<World> {
    WORLD.with(|world| world.borrow().clone())
}

pub fn note(line: String) {
    world().trace.borrow_mut().push(line);
}

/// What a handler is told to do this time.
fn turn(who: Who, ctx: Option<&Context>) -> Outcome {
    let world = world();
    let script = world.scripts.borrow_mut().get_mut(&who).and_then(|script| {
        script.times = script.times.checked_sub(1)?;
        Some(script.clone())
    });
    let Some(script) = script else { return Outcome::Handled };
    for act in &script.acts {
        perform(act, who, ctx);
    }
    assert!(script.outcome != Outcome::Panic, "told to panic");
    script.outcome
}

pub fn hears(who: Who, how: &str, event: &Event, ctx: Option<&Context>) -> EventResponse {
    note(format!("{who:?} hears {} by {how}", event.name()));
    match turn(who, ctx) {
        Outcome::Ignored => EventResponse::Ignored,
        Outcome::Deferred => EventResponse::Deferred,
        Outcome::Error => EventResponse::Error(ModuleError::new("told to fail")),
        Outcome::Handled | Outcome::Panic => EventResponse::Handled,
    }
}

pub fn asked(who: Who, request: &Request, ctx: Option<&Context>) -> Result<Response, ModuleError> {
    note(format!("{who:?} is asked by `{}`", request.source()));
    match turn(who, ctx) {
        Outcome::Ignored => Ok(Response::not_supported()),
        Outcome::Deferred => Ok(Response::rejected("later")),
        Outcome::Error if ctx.is_none() => Ok(Response::err("told to fail")),
        Outcome::Error => Err(ModuleError::new("told to fail")),
        Outcome::Handled | Outcome::Panic => Ok(Response::ok(request.payload.clone())),
    }
}

/// A few words for an error: its kind, and what is the program's own of it.
fn kind(error: &ModuleError) -> String {
    match error {
        ModuleError::Failed(_) | ModuleError::Panicked { .. } => error.to_string(),
        ModuleError::Ipc(error) => ipc_kind(error),
        ModuleError::Needed { by, .. } => format!("Needed by {by}"),
        ModuleError::WrongState { module, found, .. } => format!("{module} is {found}"),
        other => format!("{other:?}").split([' ', '(']).next().unwrap_or_default().to_owned(),
    }
}

fn ipc_kind(error: &IpcError) -> String {
    match error {
        IpcError::Failed { error, .. } => format!("Failed: {}", kind(error)),
        IpcError::Timeout { .. } | IpcError::ChannelFull { .. } | IpcError::NotRunning { .. } => error.to_string(),
        other => format!("{other:?}").split([' ', '(']).next().unwrap_or_default().to_owned(),
    }
}

fn answer(response: Result<Response, IpcError>) -> String {
    response.map_or_else(|error| ipc_kind(&error), |response| format!("{response:?}"))
}

fn plain<T>(result: Result<T, IpcError>) -> String {
    result.map_or_else(|error| ipc_kind(&error), |_| "ok".into())
}

fn moved<T: std::fmt::Debug>(result: Result<T, LifecycleError>) -> String {
    result.map_or_else(|error| format!("{}: {}", error.step, kind(&error.error)), |done| format!("{done:?}"))
}

pub fn told(result: &PublishResult) -> String {
    let PublishResult { handled, ignored, deferred, queued, failed, dropped, paused, first_error } = result;
    let first = first_error.as_ref().map_or(String::new(), |(module, error)| format!(" {module}: {}", kind(error)));
    format!("h{handled} i{ignored} d{deferred} q{queued} f{failed} x{dropped} p{}{first}", u8::from(*paused))
}

fn publish(what: What, runtime: &Runtime, ctx: Option<&Context>) -> PublishResult {
    let event: Event = match what {
        What::Tick => Tick { timestamp_ns: 0, tick_number: 0 }.into(),
        What::Created => ProcessCreated { pid: 1 }.into(),
        What::Exited => ProcessExited { pid: 1, code: 0 }.into(),
        What::OwnedPacket => Custom::from_event(Packet { length: 1 }).into(),
        What::PacketAsBytes => Custom::new("net.packet", vec![1]).into(),
        What::Noise => Custom::new("noise", vec![]).into(),
        What::Packet => {
            let packet = Packet { length: 1 };
            return ctx.map_or_else(|| runtime.publish(&packet), |ctx| ctx.publish(&packet));
        }
        What::Link => return runtime.publish(&Link { up: true }),
    };
    ctx.map_or_else(|| runtime.publish(&event), |ctx| ctx.publish(&event))
}

fn address(to: To, runtime: &Runtime) -> ModuleAddress<'static> {
    match to {
        To::Name(name) => name.into(),
        To::Number(number) => number.into(),
        To::Service(name) => ModuleAddress::Service(name.into()),
        To::Module(at) => runtime.module_id(MODULES[at].info.name).map_or(ModuleAddress::Id(999), Into::into),
    }
}

fn perform(act: &Act, who: Who, ctx: Option<&Context>) {
    let world = world();
    let runtime = world.runtime.get().unwrap();
    let bus = runtime.bus();
    let chosen = |which: Which| {
        let known = world.subscriptions.borrow();
        let nth = match (which, who) {
            (Which::Own, Who::Listener(nth)) => nth,
            (Which::Own, _) => 0,
            (Which::Nth(nth), _) => usize::from(nth) % known.len().max(1),
        };
        known.get(nth).copied().flatten()
    };
    let to_chosen = |which, act: &dyn Fn(SubscriptionId) -> Result<(), IpcError>| match chosen(which) {
        Some(id) => plain(act(id)),
        None => "none".into(),
    };
    let module = |at: usize| runtime.module_id(MODULES[at].info.name);
    let result = match act {
        Act::Publish(what) => told(&publish(*what, runtime, ctx)),
        Act::Subscribe { topics, priority, script } => {
            let serial = world.subscriptions.borrow().len();
            world.subscriptions.borrow_mut().push(None);
            world.scripts.borrow_mut().insert(Who::Listener(serial), script.clone());
            let handler = Box::new(move |event: &Event| hears(Who::Listener(serial), "topic", event, None));
            let topics = topics.iter().map(|topic| topic.real()).collect();
            let subscription =
                EventSubscription::new("sub", topics, handler).with_priority(SubscriptionPriority(*priority));
            let result = match ctx {
                Some(ctx) => ctx.subscribe(subscription),
                None => bus.subscribe(subscription),
            };
            world.subscriptions.borrow_mut()[serial] = result.as_ref().ok().copied();
            plain(result)
        }
        Act::Unsubscribe(which) => to_chosen(*which, &|id| bus.unsubscribe(id)),
        Act::Pause(which) => to_chosen(*which, &|id| bus.pause(id)),
        Act::Resume(which) => to_chosen(*which, &|id| bus.resume(id)),
        Act::PauseAll => {
            bus.pause_all();
            "ok".into()
        }
        Act::ResumeAll => {
            bus.resume_all();
            "ok".into()
        }
        Act::Ask(to) => answer(runtime.router().send_to(address(*to, runtime), Request::new("ask"))),
        Act::Queue { to, priority, timeout, reply } => {
            let letter = world.letters.get();
            world.letters.set(letter + 1);
            let script = Script { times: 1, acts: reply.clone(), outcome: Outcome::Handled };
            world.scripts.borrow_mut().insert(Who::Letter(letter), script);
            let mut request = Request::new("ask").with_priority(*priority).with_payload([letter as u8]);
            request.timeout = timeout.map(Duration::from_secs);
            let reply = Box::new(move |response| {
                note(format!("letter {letter}: {}", answer(response)));
                turn(Who::Letter(letter), None);
            });
            plain(runtime.router().queue_with(address(*to, runtime), request, reply))
        }
        Act::Process(to) => match runtime.router().process_mailbox(address(*to, runtime)) {
            Ok(asked) => format!("{asked} asked"),
            Err(error) => ipc_kind(&error),
        },
        Act::Stop(at) => module(*at).map_or("none".into(), |id| moved(runtime.stop_module(id))),
        Act::Start(at) => module(*at).map_or("none".into(), |id| moved(runtime.start_module(id))),
        Act::Remove(at) => module(*at).map_or("none".into(), |id| moved(runtime.remove(id))),
        Act::Replace(at) => module(*at).map_or("none".into(), |id| moved(runtime.replace(id, MODULES[*at]))),
    };
    note(format!("= {result}"));
}

/// The runtime, and what happened in it.
pub struct Real {
    world: Rc<World>,
}

impl Real {
    pub fn new() -> Self {
        let world = Rc::new(World::default());
        WORLD.with(|current| *current.borrow_mut() = world.clone());
        let builder = Runtime::builder().statistics().supervision(Supervision::NEVER);
        let builder = builder.ring_capacity(RING).mailbox_capacity(MAILBOX).depth_limit(DEPTH as u32);
        let runtime = builder.modules(helix_runtime::modules![Alpha, Beta, Gamma]).build().unwrap();
        assert!(world.runtime.set(runtime).is_ok());
        world.runtime.get().unwrap().start().unwrap();
        Self { world }
    }

    fn runtime(&self) -> &Runtime {
        self.world.runtime.get().unwrap()
    }

    pub fn step(&self, step: &Step) {
        let (world, runtime) = (&self.world, self.runtime());
        let result = match step {
            Step::Act(act) => return perform(act, Who::Outside, None),
            Step::Teach(module, script) => {
                world.scripts.borrow_mut().insert(Who::Module(*module), script.clone());
                "ok".into()
            }
            Step::Register(at, script) => {
                let serial = world.endpoints.get();
                world.endpoints.set(serial + 1);
                world.scripts.borrow_mut().insert(Who::Endpoint(serial), script.clone());
                let (number, name) = ENDPOINTS[*at];
                let handler = Box::new(move |request: &Request| match asked(Who::Endpoint(serial), request, None) {
                    Ok(response) => response,
                    Err(error) => Response::err(error.to_string()),
                });
                plain(runtime.router().register(number, name, handler))
            }
            Step::Unregister(at) => plain(runtime.router().unregister(ENDPOINTS[*at].0)),
            Step::Add(at) => moved(runtime.add_descriptor(MODULES[*at]).map(|_| ())),
            Step::Poll(s) => {
                world.now.set(world.now.get() + s);
                let polled = runtime.poll(Duration::from_secs(world.now.get()));
                format!(
                    "{} redelivered, {} dropped, {} asked, {} expired, {} transitions",
                    polled.redelivered, polled.dropped, polled.messages, polled.expired, polled.transitions
                )
            }
            Step::StopAll => moved(runtime.stop()),
            Step::StartAll => moved(runtime.start()),
        };
        note(format!("= {result}"));
    }

    pub fn taken(&self) -> Vec<String> {
        std::mem::take(&mut self.world.trace.borrow_mut())
    }

    /// What the runtime says of itself.
    pub fn stats(&self) -> Vec<String> {
        let (bus, router) = (self.runtime().bus().stats(), self.runtime().router().stats());
        let mut told: Vec<String> = bus.published.iter().map(|(name, times)| format!("{name}: {times}")).collect();
        told.push(format!("unnamed: {}", bus.unnamed));
        let listeners = bus.listeners.iter();
        told.extend(listeners.map(|it| format!("{} by {}: {} {}", it.name, it.topic, it.calls, it.failures)));
        told.extend(router.iter().map(|it| {
            let numbers = [it.queued, it.refused, it.expired, it.dropped];
            format!("{}: {} of {} wait, {numbers:?}", it.name, it.waiting, it.capacity)
        }));
        let modules = self.runtime().modules();
        told.extend(modules.iter().map(|module| format!("{} is {}", module.info.name, module.state)));
        told
    }
}

impl Drop for Real {
    fn drop(&mut self) {
        WORLD.with(|current| *current.borrow_mut() = Rc::default());
    }
}
