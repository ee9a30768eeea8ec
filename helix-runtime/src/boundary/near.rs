//! The process's end: a module that is asked in messages, and a table of host functions that asks in messages.

mod batch;
mod calls;
mod turns;

pub(super) use calls::calls;

use alloc::boxed::Box;
use alloc::collections::BTreeMap;
use alloc::string::{String, ToString};
use alloc::sync::{Arc, Weak};
use alloc::vec::Vec;
use core::cell::Cell;
use core::sync::atomic::AtomicU64;
use std::sync::{Mutex, MutexGuard, PoisonError};

use turns::Turns;

use postcard_schema::schema::NamedType;

use super::crossing::{event_of, malformed};
use super::wire::{self, Bytes, Down, Told, Up};
use super::{Answer, Attached, EarCalls, GuestClosure, HostEnd, fault};
use crate::context::Context;
use crate::descriptor::{Descriptor, Entry, EntryKind, RequestFn, Status};
use crate::error::{IpcError, ModuleError};
use crate::event::{Builtin, Event, Hears, Publish};
use crate::message::decode;
use crate::place::{ModuleId, Place};
use crate::v1::{Alone, ModuleContext};

/// A way to ask the host: what is said on it is answered before anything else is.
pub trait Wire {
    /// Asks, and gives the answer; nothing when the host is gone.
    fn ask(&mut self, message: &[u8]) -> Option<Vec<u8>>;
}

/// Asks the host in no conversation: what a module's own threads do.
pub type AskOutside = Box<dyn Fn(&[u8]) -> Option<Vec<u8>> + Send + Sync>;

/// A module that is asked in messages.
pub struct Near {
    descriptor: &'static Descriptor,
    entries: Vec<&'static Entry>,
    instance: Mutex<Option<Arc<Instance>>>,
    turns: Turns,
    outside: AskOutside,
    ears: Mutex<BTreeMap<u64, Ear>>,
    next_ear: AtomicU64,
    this: Weak<Self>,
}

impl core::fmt::Debug for Near {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Near").field("module", &self.descriptor.info.name).finish_non_exhaustive()
    }
}

/// The instance, once it was made.
struct Instance {
    data: Data,
    place: Place,
    /// What its contexts would ask, had they not come from another copy of this crate.
    alone: ModuleContext,
    /// What it asks; it goes after the data.
    _attached: Option<Attached>,
}

#[derive(Clone, Copy)]
struct Data(*mut ());

// SAFETY: it is a module's, which is `Send` and `Sync`; who may use it when is the host's to say, and `Turns` sees to it.
unsafe impl Send for Data {}
// SAFETY: as above.
unsafe impl Sync for Data {}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A closure of the module's that listens.
#[derive(Clone, Copy)]
struct Ear {
    closure: GuestClosure,
    calls: &'static EarCalls,
}

/// A conversation that this thread is in.
struct Conversation {
    near: *const Near,
    line: *mut dyn Wire,
    up: *const Conversation,
}

std::thread_local! {
    static CONVERSATION: Cell<*const Conversation> = const { Cell::new(core::ptr::null()) };
}

/// What a conversation has come to.
struct Done {
    status: Status,
    bytes: Vec<u8>,
    error: Vec<u8>,
}

impl Done {
    fn of(status: Status) -> Self {
        Self { status, bytes: Vec::new(), error: Vec::new() }
    }

    fn failed(error: &ModuleError) -> Self {
        let mut done = Self::of(Status::Failed);
        fault::write_module(error, &mut done.error);
        done
    }
}

impl Near {
    /// A module that was adopted.
    pub fn new(descriptor: &'static Descriptor, outside: AskOutside) -> Arc<Self> {
        Arc::new_cyclic(|this| Self {
            descriptor,
            entries: descriptor.entries().collect(),
            instance: Mutex::default(),
            turns: Turns::default(),
            outside,
            ears: Mutex::default(),
            next_ear: AtomicU64::new(1),
            this: this.clone(),
        })
    }

    /// What its host has to know of its handlers.
    pub fn table(&self) -> Vec<u8> {
        let setting = |key: &crate::config::ConfigKey| wire::Setting {
            name: key.name.into(),
            ty: key.ty.into(),
            default: key.default.map(Into::into),
            doc: key.doc.into(),
        };
        wire::to_bytes(&wire::Table {
            settings: self.descriptor.config().map(setting).collect(),
            entries: self.entries.iter().map(|entry| told(entry)).collect(),
            own: self.descriptor.handlers.len() as u16,
        })
    }

    /// Does what the host wants, and says what it came to. What the module asks meanwhile is asked on the line.
    pub fn converse(&self, message: &[u8], line: &mut dyn Wire) -> Vec<u8> {
        let conversation = Conversation {
            near: self,
            // SAFETY: only the lifetime changes; the conversation is taken back below, before the line goes.
            line: unsafe { core::mem::transmute::<*mut (dyn Wire + '_), *mut (dyn Wire + 'static)>(line) },
            up: CONVERSATION.get(),
        };
        struct Ended(*const Conversation);
        impl Drop for Ended {
            fn drop(&mut self) {
                CONVERSATION.set(self.0);
            }
        }
        let ended = Ended(CONVERSATION.replace(&conversation));
        let done = match decode(message) {
            Some(down) => self.perform(&down),
            None => Done::failed(&ModuleError::new("found something that is no message of this protocol's version")),
        };
        drop(ended);
        let told = told_as(&done);
        match wire::too_long(&told) {
            Some(error) => told_as(&Done::failed(&error)),
            None => told,
        }
    }

    fn perform(&self, down: &Down<'_>) -> Done {
        match *down {
            Down::Create { id, data_dir } => self.create(id, data_dir),
            Down::Configure { key, value } => {
                let Some(setting) = self.descriptor.settings.iter().find(|setting| setting.key.name == key) else {
                    return Done::failed(&unknown("a configurable key", key));
                };
                // SAFETY: before it is started the host wants one thing at a time.
                self.inside(true, |data, cx, _| unsafe { (setting.load)(setting.key.name, data, value, cx) })
            }
            Down::Hear { closure, ref event } => self.hear(closure, event),
            Down::Forget { closure } => {
                if let Some(ear) = locked(&self.ears).remove(&closure) {
                    // SAFETY: it was subscribed, and is forgotten once.
                    unsafe { (ear.calls.forget)(ear.closure) };
                }
                Done::of(Status::Handled)
            }
            Down::Events { items } => self.events(items.0),
            Down::Destroy => {
                let _turn = self.turns.take(true);
                if let Some(instance) = locked(&self.instance).take() {
                    // SAFETY: nobody is inside, and nobody finds it any more.
                    unsafe { (self.descriptor.vtable.destroy)(instance.data.0) };
                }
                Done::of(Status::Handled)
            }
            Down::Step { entry }
            | Down::Event { entry, .. }
            | Down::Request { entry, .. }
            | Down::Raw { entry, .. }
            | Down::Save { entry }
            | Down::Restore { entry, .. } => match self.entries.get(usize::from(entry)) {
                Some(found) => self.handle(found, down),
                None => Done::failed(&unknown("a handler's place in the table", &entry.to_string())),
            },
        }
    }

    fn create(&self, id: u32, data_dir: Option<&str>) -> Done {
        let info = &self.descriptor.info;
        let mut place = Place::new(ModuleId(id), info.name);
        place.permissions = info.permissions;
        place.data_dir = data_dir.map(Into::into);
        let end = HostEnd(Box::into_raw(Box::new(self.this.clone())).cast_const().cast());
        let attached = match self.descriptor.home {
            Some(home) => home.attach(calls(), end, &place),
            None => None,
        };
        // SAFETY: `create` has no precondition; what it makes belongs to this instance alone.
        let data = unsafe { (self.descriptor.vtable.create)() };
        if data.is_null() {
            let mut done = Done::of(Status::Panicked);
            let (module, message) = (info.name.to_string(), "while it was created".to_string());
            fault::write_module(&ModuleError::Panicked { module, message }, &mut done.error);
            return done;
        }
        let instance = Instance { data: Data(data), place, alone: ModuleContext::default(), _attached: attached };
        *locked(&self.instance) = Some(Arc::new(instance));
        Done::of(Status::Handled)
    }

    /// Runs with the instance, in a context of its own.
    fn inside(&self, alone: bool, run: impl FnOnce(*mut (), &Context, &mut Vec<u8>) -> Status) -> Done {
        let _turn = self.turns.take(alone);
        let found = locked(&self.instance).clone();
        let Some(instance) = found else { return Done::failed(&ModuleError::new("found no instance, expected one")) };
        let mut done = Done::of(Status::Handled);
        let alone = Alone { context: &instance.alone };
        // SAFETY: the place and the host are here for the call, and there is no call above it.
        let cx = unsafe { Context::new(&instance.place, &alone, None) };
        done.status = run(instance.data.0, &cx, &mut done.bytes);
        if matches!(done.status, Status::Failed | Status::Panicked) {
            fault::write_module(&cx.take_fault(), &mut done.error);
        }
        done
    }

    fn handle(&self, entry: &'static Entry, down: &Down<'_>) -> Done {
        let alone = entry.exclusive && !self.descriptor.needs_no_lock();
        match (entry.kind, down) {
            (EntryKind::Step(_, call), Down::Step { .. }) => {
                // SAFETY: the instance is there, who runs alone does, and the entry is its own.
                self.inside(alone, |data, cx, _| unsafe { call(data, cx) })
            }
            (EntryKind::Event { call, .. }, Down::Event { event, .. }) => {
                self.inside(alone, |data, cx, _| match received(event) {
                    // SAFETY: the instance is there, who runs alone does, and the entry is its own.
                    Ok(event) => event.deliver(|delivery| unsafe { call(data, delivery, cx) }),
                    Err(error) => {
                        cx.fail_here(error);
                        Status::Failed
                    }
                })
            }
            (EntryKind::Request(request), Down::Request { args, .. }) => match request.call {
                RequestFn::Typed(call, codec) => {
                    // SAFETY: the instance is there, who runs alone does, and the entry is its own.
                    self.inside(alone, |data, cx, reply| unsafe { codec.serve(call, data, args.0, reply, cx) })
                }
                RequestFn::Raw(_) => Done::of(Status::Mismatch),
            },
            (EntryKind::Request(request), Down::Raw { request: letter, .. }) => match request.call {
                RequestFn::Raw(call) => self.inside(alone, |data, cx, reply| {
                    let mut request = letter.to_request();
                    request.vouch_for(letter.source);
                    let mut response = None;
                    // SAFETY: the instance is there, who runs alone does, and the entry is its own.
                    let status = unsafe { call(data, &request, &mut response, cx) };
                    if let Some(response) = &response {
                        *reply = wire::to_bytes(&Answer::of(response).to_wire());
                    }
                    status
                }),
                RequestFn::Typed(..) => Done::of(Status::Mismatch),
            },
            (EntryKind::Save { call, .. }, Down::Save { .. }) => {
                // SAFETY: the instance is there, who runs alone does, and the entry is its own.
                self.inside(alone, |data, cx, state| unsafe { call(data, state, cx) })
            }
            (EntryKind::Restore { call, .. }, Down::Restore { state, .. }) => {
                // SAFETY: the instance is there, who runs alone does, and the entry is its own.
                self.inside(true, |data, cx, _| unsafe { call(data, state.0, cx) })
            }
            _ => Done::failed(&ModuleError::new("found a handler of another kind than the one that was called")),
        }
    }

    fn hear(&self, closure: u64, event: &wire::Event<'_>) -> Done {
        let found = locked(&self.ears).get(&closure).copied();
        let Some(ear) = found else { return Done::of(Status::Ignored) };
        let mut error = Vec::new();
        let status = match received(event) {
            Ok(event) => {
                // SAFETY: it was subscribed, and is forgotten after the last call of it; an event of this copy's is what it says.
                event.deliver(|delivery| unsafe { (ear.calls.hear)(ear.closure, &delivery.crossing(), &mut error) })
            }
            Err(refused) => return Done::failed(&refused),
        };
        Done { status, bytes: Vec::new(), error }
    }

    /// Asks the host: in the conversation that this thread is in, or else in none.
    fn ask(&self, up: &Up<'_>) -> Vec<u8> {
        let message = wire::to_bytes(up);
        if let Some(error) = wire::too_long(&message) {
            let mut failed = Vec::new();
            fault::write(
                &IpcError::Failed { module: "helix".into(), request: "message".into(), error: Box::new(error) },
                &mut failed,
            );
            return wire::to_bytes(&Told::Failed { error: Bytes(&failed), text: "" });
        }
        let mut at = CONVERSATION.get();
        // SAFETY: conversations stand on this thread's stack, below this call, each as long as it is found here.
        while let Some(conversation) = unsafe { at.as_ref() } {
            if core::ptr::eq(conversation.near, self) {
                // SAFETY: as above, and the line is used by one call at a time: it answers before anything else is said.
                return unsafe { &mut *conversation.line }.ask(&message).unwrap_or_default();
            }
            at = conversation.up;
        }
        (self.outside)(&message).unwrap_or_default()
    }
}

impl Drop for Near {
    fn drop(&mut self) {
        for ear in core::mem::take(&mut *locked(&self.ears)).into_values() {
            // SAFETY: it was subscribed, and is forgotten once.
            unsafe { (ear.calls.forget)(ear.closure) };
        }
    }
}

fn told_as(done: &Done) -> Vec<u8> {
    wire::to_bytes(&Up::Done { status: done.status, bytes: Bytes(&done.bytes), error: Bytes(&done.error) })
}

fn unknown(what: &str, found: &str) -> ModuleError {
    alloc::format!("found `{found}`, expected {what}").into()
}

/// The event that has come.
fn received(event: &wire::Event<'_>) -> Result<Event, ModuleError> {
    if let wire::Payload::Encoded { shape, bytes: Bytes(bytes) } = event.payload
        && let Some(builtin) = Builtin::of(event.name).filter(|builtin| builtin.codec.shape == shape)
    {
        return (builtin.decode)(bytes).ok_or_else(|| malformed(event.name, shape));
    }
    // SAFETY: nothing comes as a value.
    unsafe { event_of(&event.crossing()) }
}

fn told(entry: &Entry) -> wire::Entry<&'static NamedType> {
    let kind = match entry.kind {
        EntryKind::Step(step, _) => wire::Kind::Step(step),
        EntryKind::Event { hears, priority, .. } => wire::Kind::Event { hears: hears_of(hears), priority: priority.0 },
        EntryKind::Request(request) => wire::Kind::Request {
            name: request.name.into(),
            params: request.params.iter().map(|name| String::from(*name)).collect(),
            doc: request.doc.into(),
            permission: request.permission.map(Into::into),
            types: request.shapes().map(|(args, reply)| (args.schema(), reply.schema())),
        },
        EntryKind::Save { version, shape, .. } => wire::Kind::Save { version, state: shape.schema() },
        EntryKind::Restore { version, shape, .. } => wire::Kind::Restore { version, state: shape.schema() },
    };
    wire::Entry { exclusive: entry.exclusive, kind }
}

fn hears_of(hears: Hears<'_>) -> wire::Hears<&'static NamedType> {
    match hears {
        Hears::Type { topic, name, shape, .. } => {
            wire::Hears::Type { topic: topic.into(), name: name.into(), ty: shape.schema() }
        }
        Hears::Named(name) => wire::Hears::Named(name.into()),
        Hears::All => wire::Hears::All,
    }
}
