//! The host's end of a module in another process: a descriptor whose handlers send, and the answers to what is asked.
//!
//! What the process asks is asked of the same table of functions as a library asks.

mod act;
mod lanes;
mod queue;
mod table;

pub use act::Act;
pub(crate) use lanes::Put;
pub(crate) use queue::{Delivered, Queue};
pub(crate) use table::InBytes;
pub use table::{TableFault, descriptor};

use alloc::boxed::Box;
use alloc::collections::{BTreeMap, BTreeSet};
use alloc::format;
use alloc::string::ToString;
use alloc::sync::{Arc, Weak};
use alloc::vec::Vec;
use core::fmt;

use super::crossing::Crossing;
use super::wire::{self, Bytes, Down, Told, Up};
use super::{
    Answer, Asked, Attached, EarCalls, GuestClosure, Home, HostCalls, HostEnd, Lodging, Subscription, Topic, fault,
    host,
};
use crate::bus::SubscriptionId;
use crate::codec::Codec;
use crate::context::{Context, Place};
use crate::descriptor::Placement;
use crate::descriptor::{Descriptor, EntryKind, Status};
use crate::error::{IpcError, ModuleError};
use crate::event::{Hears, OF_HOST};
use crate::handle::Handle;
use crate::lock::Lock;
use crate::message::{Sink, decode};

/// What a host does next with what a process has said.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Turn {
    /// The answer is sent, and the process speaks again.
    Answer,
    /// The conversation has ended.
    End,
    /// It is no message: the process is not to be trusted any more.
    Garbage,
}

/// A process in which one instance of a module lives.
pub trait Process: Send + Sync + fmt::Debug {
    /// Sends a message, and goes on as `said` says with each one that comes back, until the conversation has ended.
    /// `said` is given a message, and writes the answer.
    ///
    /// # Errors
    /// When the process is gone, hangs or speaks garbage: [`ModuleError::Crashed`], with the cause.
    fn converse(&self, message: &[u8], said: &mut dyn FnMut(&[u8], &mut Vec<u8>) -> Turn) -> Result<(), ModuleError>;

    /// Whether it may do that. What is the host's alone to publish it never may.
    fn may(&self, act: Act<'_>) -> bool {
        let _ = act;
        true
    }

    /// Events wait for it: somebody is to call [`Asks::deliver`] soon, and not this thread.
    fn wake(&self) {}
}

/// Answers what a process asks of itself, in no conversation.
pub trait Asks: Send + Sync {
    /// Answers a message; nothing where it is none.
    fn asked(&self, message: &[u8]) -> Option<Vec<u8>>;
    /// The process has ended, and nobody had ended it.
    fn ended(&self, error: ModuleError);
    /// Delivers some of the events that wait for it, in its module's turn. Whether there were any.
    fn deliver(&self) -> bool;
    /// How many events wait for it.
    fn waiting(&self) -> usize;
    /// How many events have ever waited for it, and how many of these it is done with.
    fn progress(&self) -> (u64, u64);
}

/// Makes processes of one library.
pub trait Spawn: Send + Sync + fmt::Debug {
    /// Makes one.
    ///
    /// # Errors
    /// When it could not be made.
    fn spawn(&self, asks: Weak<dyn Asks>) -> Result<Arc<dyn Process>, ModuleError>;

    /// How many events wait for a process at most, so that nobody waits who publishes them. None do if it is 0: they are
    /// delivered at once.
    fn queue(&self) -> usize {
        0
    }
}

/// A module whose instances live in processes.
#[derive(Debug)]
struct Abroad {
    spawn: Arc<dyn Spawn>,
}

impl Home for Abroad {
    fn lodge(&self, descriptor: &Descriptor, place: &Place, handle: Handle) -> Result<Lodging, ModuleError> {
        let end = host::end(handle);
        let mut failed = Ok(());
        let far = Arc::new_cyclic(|this: &Weak<Far>| {
            let asks: Weak<dyn Asks> = this.clone();
            let process = self.spawn.spawn(asks).map_err(|error| failed = Err(error)).ok();
            let queue = process.as_ref().filter(|_| self.queues()).map(|process| {
                let entries = descriptor.entries();
                Arc::new(Queue::new(place.name, self.spawn.queue(), Arc::downgrade(process), entries))
            });
            Far {
                process,
                queue,
                end,
                name: place.name,
                instance: core::ptr::from_ref(place).addr(),
                own: Lock::default(),
                this: this.clone(),
            }
        });
        failed?;
        for entry in descriptor.entries() {
            if let EntryKind::Event { hears, .. } = entry.kind {
                far.allowed(Act::Subscribe { topic: topic_of(hears) })?;
            }
        }
        let create = Down::Create { id: place.id.0, data_dir: place.data_dir.as_deref() };
        let mut error = Vec::new();
        match far.converse(&create, Some(place), &mut error)? {
            Status::Handled => {
                let queue = far.queue.clone();
                Ok(Lodging { data: Box::into_raw(Box::new(far)).cast(), attached: None, queue })
            }
            _ => Err(fault::read_module(&error)),
        }
    }

    fn attach(&self, _: &'static HostCalls, _: HostEnd, _: &Place) -> Option<Attached> {
        None
    }

    fn placement(&self) -> Placement {
        Placement::Process
    }

    fn queues(&self) -> bool {
        self.spawn.queue() > 0
    }

    unsafe fn flush(&self, data: *mut (), cx: &Context) -> Result<Delivered, ModuleError> {
        // SAFETY: the caller's promise; `lodge` made it.
        unsafe { &*data.cast::<Arc<Far>>() }.flush(cx)
    }
}

unsafe fn destroy(data: *mut ()) {
    // SAFETY: `lodge` made it, and the slot gives it back once.
    let far = unsafe { Box::from_raw(data.cast::<Arc<Far>>()) };
    // A process that is gone has nothing left to end.
    let _ = far.converse(&Down::Destroy, None, &mut Vec::new());
}

/// One instance in a process.
struct Far {
    process: Option<Arc<dyn Process>>,
    queue: Option<Arc<Queue>>,
    end: HostEnd,
    name: &'static str,
    /// The instance's address.
    instance: usize,
    own: Lock<Own>,
    this: Weak<Self>,
}

impl Drop for Far {
    fn drop(&mut self) {
        // SAFETY: the end was made with this, and goes back once.
        unsafe { (host::calls().release)(self.end) };
    }
}

/// The numbers that a process has been given: others it may not use.
#[derive(Default)]
struct Own {
    /// Each with the target and the request that it stands for.
    routes: BTreeMap<u32, (Box<str>, Box<str>)>,
    subscriptions: BTreeSet<u32>,
}

/// How many of each it can have.
const MOST_OWN: usize = 1 << 16;

/// How many closures of it can listen at a time.
const MOST_EARS: usize = 1024;

impl Own {
    fn note_route(&mut self, route: u32, target: &str, request: &str) {
        if self.routes.len() < MOST_OWN {
            self.routes.insert(route, (target.into(), request.into()));
        }
    }

    fn note_subscription(&mut self, subscription: u32) {
        if self.subscriptions.len() < MOST_OWN {
            self.subscriptions.insert(subscription);
        }
    }
}

/// What a conversation has come to.
struct Done<'a> {
    status: Status,
    bytes: &'a [u8],
    error: &'a [u8],
}

impl Far {
    /// Says something, answers what is asked meanwhile, and hands on what it came to.
    fn say<T>(
        &self,
        down: &Down<'_>,
        place: Option<&Place>,
        mut done: impl FnMut(Done<'_>) -> T,
    ) -> Result<T, ModuleError> {
        let mut result = None;
        let mut said = |message: &[u8], answer: &mut Vec<u8>| match decode::<Up<'_>>(message) {
            Some(Up::Done { status, bytes: Bytes(bytes), error: Bytes(error) }) => {
                result = Some(done(Done { status, bytes, error }));
                Turn::End
            }
            Some(ask) => {
                self.answer(&ask, place, answer);
                Turn::Answer
            }
            None => Turn::Garbage,
        };
        let gone = || ModuleError::Crashed { module: self.name.to_string(), cause: "it is gone".to_string() };
        let process = self.process.as_ref().ok_or_else(gone)?;
        process.converse(&wire::to_bytes(down), &mut said)?;
        result.ok_or_else(gone)
    }

    /// The same for what has no reply; what went wrong is written into `error`.
    fn converse(&self, down: &Down<'_>, place: Option<&Place>, error: &mut dyn Sink) -> Result<Status, ModuleError> {
        self.say(down, place, |done| {
            error.put(done.error);
            done.status
        })
    }

    /// The same for a handler, whose reply goes into `reply`.
    fn call(&self, down: &Down<'_>, reply: &mut dyn Sink, cx: &Context) -> Status {
        let called = self.say(down, Some(cx.place()), |done| {
            match done.status {
                Status::Handled if !reply.put(done.bytes) => return Status::Full,
                Status::Failed | Status::Panicked => cx.fail_here(fault::read_module(done.error)),
                _ => {}
            }
            done.status
        });
        called.unwrap_or_else(|error| {
            cx.fail_here(error);
            Status::Panicked
        })
    }

    /// Whether the process may do that; if not, why.
    fn allowed(&self, act: Act<'_>) -> Result<(), IpcError> {
        let is_hosts = matches!(act, Act::Publish { event } if looks_like_hosts(event));
        if !is_hosts && self.process.as_ref().is_some_and(|process| process.may(act)) {
            return Ok(());
        }
        let (module, permission) = (self.name.to_string(), act.permission());
        Err(IpcError::Forbidden { module, act: act.to_string(), permission })
    }

    /// What a route of the process's own stands for.
    fn route(&self, route: u32) -> Result<(Box<str>, Box<str>), IpcError> {
        let known = self.own.lock().routes.get(&route).cloned();
        known.ok_or_else(|| IpcError::ModuleNotFound { name: format!("the route {route}") })
    }

    /// Whether what is asked is allowed, and of numbers that are the process's own; if not, why.
    fn admitted(&self, ask: &Up<'_>) -> Result<(), IpcError> {
        match *ask {
            // Its topic is heard as its name is.
            Up::Publish(ref event) => {
                let named = self.allowed(Act::Publish { event: event.name });
                let is_part =
                    event.name.strip_prefix(event.topic).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'));
                let topic = if is_part && !looks_like_hosts(event.topic) {
                    Ok(())
                } else {
                    self.allowed(Act::Publish { event: event.topic })
                };
                named.and(topic)
            }
            Up::Subscribe { ref topics, .. } => topics.iter().try_for_each(|topic| {
                let topic = match topic {
                    wire::Topic::Type { name, .. } | wire::Topic::Named(name) => name,
                    wire::Topic::All => "*",
                };
                self.allowed(Act::Subscribe { topic })
            }),
            Up::Unsubscribe { subscription } if !self.own.lock().subscriptions.contains(&subscription) => {
                Err(IpcError::NotSubscribed { subscription: SubscriptionId(subscription) })
            }
            // To find a request is not to call it: a client of a contract finds all of them.
            Up::Agree { route, .. } => self.route(route).map(drop),
            Up::Call { route, .. } | Up::Request { route, .. } => {
                let (target, request) = self.route(route)?;
                self.allowed(Act::Call { target: &target, request: &request })
            }
            _ => Ok(()),
        }
    }

    fn too_many(&self) -> IpcError {
        let error = format!("found more than {MOST_EARS} closures, or a name that is too long or one too many");
        let (module, request) = (self.name.to_string(), "subscribe".to_string());
        IpcError::Failed { module, request, error: Box::new(error.into()) }
    }

    /// What it is answered that asks for what it may not.
    fn refuse(&self, ask: &Up<'_>, refused: IpcError) -> Vec<u8> {
        let mut error = Vec::new();
        if let Up::Publish(_) = ask {
            fault::write_module(&refused.into(), &mut error);
            let (counts, module) = ([0, 0, 0, 0, 1, 0], Some(self.name));
            return wire::to_bytes(&Told::Published { counts, paused: false, module, error: Bytes(&error) });
        }
        fault::write(&refused, &mut error);
        failed(&error)
    }

    /// Answers what the process asks.
    fn answer(&self, ask: &Up<'_>, place: Option<&Place>, answer: &mut Vec<u8>) {
        if let Err(refused) = self.admitted(ask) {
            *answer = self.refuse(ask, refused);
            return;
        }
        let calls = host::calls();
        let mut error = Vec::new();
        let end = self.end;
        let told = match *ask {
            Up::Done { .. } => return,
            Up::Config { key } => {
                // SAFETY: the end is this one's, and goes back when this goes; a place is of the call under way.
                let value = place.and_then(|place| unsafe { (calls.config)(end, place, key) });
                // SAFETY: the configuration lives as long as the runtime, of which a call is under way.
                Told::Text(value.map(|value| unsafe { &*value }))
            }
            Up::Publish(ref event) => {
                // SAFETY: the end is this one's, and goes back when this goes; a place is of the call under way.
                let outcome = unsafe { (calls.publish)(end, &event.crossing(), &mut error) };
                let super::Outcome { handled, ignored, deferred, queued, failed, dropped, paused, module } = outcome;
                let counts = [handled, ignored, deferred, queued, failed, dropped];
                *answer = wire::to_bytes(&Told::Published { counts, paused, module, error: Bytes(&error) });
                return;
            }
            Up::Subscribe { name, ref topics, priority, closure, owned } => {
                let topics: Option<Vec<Topic<'_>>> = topics.iter().map(topic).collect();
                let is_full = self.own.lock().subscriptions.len() >= MOST_EARS;
                let (Some(topics), Some(name), false) = (topics, fault::name(name), is_full) else {
                    *answer = self.refuse(ask, self.too_many());
                    return;
                };
                let ear = FarEar { far: self.this.clone(), closure };
                let closure = GuestClosure(Box::into_raw(Box::new(ear)).cast_const().cast());
                let asked = Subscription { name, topics: &topics, priority, closure, ear: EARS };
                let owner = place.filter(|_| owned);
                // SAFETY: the end is this one's, and goes back when this goes; a place is of the call under way.
                match unsafe { (calls.subscribe)(end, owner, &asked, &mut error) } {
                    Some(id) => {
                        self.own.lock().note_subscription(id);
                        Told::Number(id)
                    }
                    None => failed_in(&error),
                }
            }
            Up::Unsubscribe { subscription } => {
                // SAFETY: the end is this one's, and goes back when this goes; a place is of the call under way.
                let gone = unsafe { (calls.unsubscribe)(end, subscription, &mut error) };
                if gone {
                    self.own.lock().subscriptions.remove(&subscription);
                }
                done(gone, &error)
            }
            // SAFETY: the end is this one's, and goes back when this goes; a place is of the call under way.
            Up::Resolve { target, request } => match unsafe { (calls.resolve)(end, target, request, &mut error) } {
                Some(route) => {
                    self.own.lock().note_route(route, target, request);
                    Told::Number(route)
                }
                None => failed_in(&error),
            },
            Up::Agree { route, args, reply } => {
                // SAFETY: the end is this one's, and goes back when this goes; a place is of the call under way.
                done(unsafe { (calls.agree)(end, route, &Codec::told(args, reply), &mut error) }, &error)
            }
            Up::Call { route, request, timeout, args } => {
                let (asked, mut reply) = (Asked { route, request, timeout }, Vec::new());
                // SAFETY: the end is this one's, and goes back when this goes; a place is of the call under way.
                if unsafe { (calls.call)(end, &asked, args.0, &mut reply, &mut error) } {
                    *answer = wire::to_bytes(&Told::Reply(Bytes(&reply)));
                    return;
                }
                failed_in(&error)
            }
            Up::Request { route, timeout, ref letter } => {
                let asked = Asked { route, request: letter.request, timeout };
                let mut respond = |response: Answer<'_>| {
                    *answer = wire::to_bytes(&Told::Response(response.to_wire()));
                };
                // SAFETY: the end is this one's, and goes back when this goes; a place is of the call under way.
                if unsafe { (calls.request)(end, &asked, &letter.to_request(), &mut respond, &mut error) } {
                    return;
                }
                failed_in(&error)
            }
        };
        *answer = match told {
            Told::Failed { error: Bytes(error), .. } => failed(error),
            told => wire::to_bytes(&told),
        };
    }
}

/// What the runtime alone publishes.
const OF_RUNTIME: &[&str] =
    &["module.loaded", "module.unloaded", "module.reloaded", "module.crashed", "shutdown", "health-check"];

/// The topics of these.
const HOSTS_TOPICS: &[&str] = &["module", "node", "config", "maintenance", "resource"];

/// Whether an event of that name, or a topic, is the host's alone.
fn is_hosts(event: &str) -> bool {
    OF_RUNTIME.contains(&event) || OF_HOST.contains(&event)
}

/// Whether an event may be taken for one of the host's.
fn looks_like_hosts(event: &str) -> bool {
    is_hosts(event) || HOSTS_TOPICS.contains(&event)
}

fn topic_of(hears: Hears<'_>) -> &str {
    match hears {
        Hears::Type { name, .. } => name,
        Hears::Named(name) => name,
        Hears::All => "*",
    }
}

/// What went wrong, before it is put into words.
fn failed_in(error: &[u8]) -> Told<'_> {
    Told::Failed { error: Bytes(error), text: "" }
}

/// The same in bytes, with the words for those who cannot read an error of this crate's.
fn failed(error: &[u8]) -> Vec<u8> {
    let text = fault::read(error).to_string();
    wire::to_bytes(&Told::Failed { error: Bytes(error), text: &text })
}

fn done(done: bool, error: &[u8]) -> Told<'_> {
    if done { Told::Done } else { failed_in(error) }
}

/// Nothing where it has a name that is not kept.
fn topic<'a>(topic: &wire::Topic<'a>) -> Option<Topic<'a>> {
    Some(match *topic {
        wire::Topic::Type { topic, name, shape } => {
            Topic::Type { topic: fault::name(topic)?, name: fault::name(name)?, shape }
        }
        wire::Topic::Named(name) => Topic::Named(name),
        wire::Topic::All => Topic::All,
    })
}

impl Asks for Far {
    fn asked(&self, message: &[u8]) -> Option<Vec<u8>> {
        let mut answer = Vec::new();
        self.answer(&decode(message)?, None, &mut answer);
        Some(answer)
    }

    fn ended(&self, error: ModuleError) {
        // SAFETY: the end is this one's.
        unsafe { host::ended(self.end, self.instance, error) };
    }

    fn deliver(&self) -> bool {
        self.deliver_some()
    }

    fn waiting(&self) -> usize {
        self.queue.as_ref().map_or(0, |queue| queue.len())
    }

    fn progress(&self) -> (u64, u64) {
        self.queue.as_ref().map_or((0, 0), |queue| queue.progress())
    }
}

/// A closure that listens in a process.
struct FarEar {
    far: Weak<Far>,
    closure: u64,
}

const EARS: &EarCalls = &EarCalls { hear, forget };

unsafe fn hear(closure: GuestClosure, event: &Crossing<'_>, error: &mut dyn Sink) -> Status {
    // SAFETY: `answer` made it so, and `forget` has not come yet.
    let ear = unsafe { &*closure.0.cast::<FarEar>() };
    let Some(far) = ear.far.upgrade() else { return Status::Ignored };
    let mut bytes = Vec::new();
    let hear = Down::Hear { closure: ear.closure, event: wire::Event::of(event, &mut bytes) };
    far.converse(&hear, None, error).unwrap_or_else(|gone| {
        fault::write_module(&gone, error);
        Status::Failed
    })
}

unsafe fn forget(closure: GuestClosure) {
    // SAFETY: `answer` made it so, and it comes back once.
    let ear = unsafe { Box::from_raw(closure.0.cast_mut().cast::<FarEar>()) };
    if let Some(far) = ear.far.upgrade() {
        // With the process the closure is gone as well.
        let _ = far.converse(&Down::Forget { closure: ear.closure }, None, &mut Vec::new());
    }
}
