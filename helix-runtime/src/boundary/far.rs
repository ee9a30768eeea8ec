//! The host's end of a module in another process: a descriptor whose handlers send, and the answers to what is asked.
//!
//! What the process asks is asked of the same table of functions as a library asks.

use alloc::boxed::Box;
use alloc::string::{String, ToString};
use alloc::sync::{Arc, Weak};
use alloc::vec::Vec;
use core::fmt;

use postcard_schema::schema::owned::OwnedNamedType;

use super::crossing::{Crossing, Payload};
use super::wire::{self, Bytes, Down, Told, Up};
use super::{
    Answer, Asked, Attached, EarCalls, GuestClosure, Home, HostCalls, HostEnd, Lodging, Subscription, Topic, fault,
    host, schema,
};
use crate::abi::AbiTag;
use crate::codec::Codec;
use crate::config::ConfigKey;
use crate::context::{Context, Place};
use crate::descriptor::Placement;
use crate::descriptor::{
    Descriptor, Entry, EntryKind, EventFn, RawFn, RequestEntry, RequestFn, RestoreFn, SaveFn, SettingEntry, Status,
    StepFn, TypedFn, VTable,
};
use crate::error::ModuleError;
use crate::event::{Builtin, Delivery, Hears, SubscriptionPriority};
use crate::handle::Handle;
use crate::info::ModuleInfo;
use crate::message::{Sink, decode};
use crate::request::{MessagePriority, Request, Response};
use crate::schema::Shape;

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
}

/// Answers what a process asks of itself, in no conversation.
pub trait Asks: Send + Sync {
    /// Answers a message; nothing where it is none.
    fn asked(&self, message: &[u8]) -> Option<Vec<u8>>;
    /// The process has ended, and nobody had ended it.
    fn ended(&self, error: ModuleError);
}

/// Makes processes of one library.
pub trait Spawn: Send + Sync + fmt::Debug {
    /// Makes one.
    ///
    /// # Errors
    /// When it could not be made.
    fn spawn(&self, asks: Weak<dyn Asks>) -> Result<Arc<dyn Process>, ModuleError>;
}

/// Why a process's table is none.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the table of handlers of `{module}`: found {found}, expected {expected}")]
pub struct TableFault {
    /// The module.
    pub module: String,
    /// What was found.
    pub found: String,
    /// What was expected.
    pub expected: &'static str,
}

/// A module whose instances live in processes.
#[derive(Debug)]
struct Abroad {
    spawn: Arc<dyn Spawn>,
}

/// The descriptor of a module that lives in processes of its own, whose table one of them has sent.
///
/// What it needs is allocated for good: some hundred bytes a handler.
///
/// # Errors
/// When the table is none.
pub fn descriptor(info: ModuleInfo, table: &[u8], spawn: Arc<dyn Spawn>) -> Result<&'static Descriptor, TableFault> {
    let fault = |found: String, expected| TableFault { module: info.name.to_string(), found, expected };
    let table: wire::Table =
        decode(table).ok_or_else(|| fault("something else".into(), "a table of this protocol's version"))?;
    if table.entries.len() > MOST || usize::from(table.own) > table.entries.len() {
        return Err(fault(table.entries.len().to_string() + " handlers", "256 at most"));
    }
    let settings: Vec<SettingEntry> = table.settings.into_iter().map(setting).collect();
    let own = usize::from(table.own);
    let entries: Vec<Entry> = table.entries.into_iter().enumerate().map(|(at, told)| entry(at, told)).collect();
    let entries: &'static [Entry] = entries.leak();
    let contracts: &'static [&'static [Entry]] = vec_of_one(&entries[own..]);
    Ok(Box::leak(Box::new(Descriptor {
        abi: AbiTag::THIS,
        info,
        settings: settings.leak(),
        handlers: &entries[..own],
        contracts,
        vtable: VTable { create: core::ptr::null_mut, destroy },
        home: Some(Box::leak(Box::new(Abroad { spawn }))),
    })))
}

fn vec_of_one(entries: &'static [Entry]) -> &'static [&'static [Entry]] {
    Box::leak(Box::new([entries]))
}

fn kept(text: String) -> &'static str {
    Box::leak(text.into_boxed_str())
}

fn shape(ty: &OwnedNamedType) -> Shape {
    Shape::new(schema::kept(ty))
}

fn setting(setting: wire::Setting) -> SettingEntry {
    let wire::Setting { name, ty, default, doc } = setting;
    let key = ConfigKey { name: kept(name), ty: kept(ty), default: default.map(kept), doc: kept(doc) };
    SettingEntry { key, load: configure }
}

fn entry(at: usize, entry: wire::Entry) -> Entry {
    let kind = match entry.kind {
        wire::Kind::Step(step) => EntryKind::Step(step, of(&STEPS, at)),
        wire::Kind::Event { hears, priority } => {
            let hears = match hears {
                wire::Hears::Type { topic, name, ty } => Hears::from_abroad(kept(topic), kept(name), shape(&ty)),
                wire::Hears::Named(name) => Hears::Named(kept(name)),
                wire::Hears::All => Hears::All,
            };
            EntryKind::Event { hears, priority: SubscriptionPriority(priority), call: of(&EVENTS, at) }
        }
        wire::Kind::Request { name, params, doc, permission, types } => {
            let call = match types {
                Some((args, reply)) => {
                    let codec = Box::leak(Box::new(Codec::of_bytes(shape(&args), shape(&reply))));
                    RequestFn::Typed(of(&REQUESTS, at), codec)
                }
                None => RequestFn::Raw(of(&RAW, at)),
            };
            let params: Vec<&'static str> = params.into_iter().map(kept).collect();
            EntryKind::Request(RequestEntry {
                name: kept(name),
                params: params.leak(),
                doc: kept(doc),
                permission: permission.map(kept),
                call,
            })
        }
        wire::Kind::Save { version, state } => EntryKind::Save { version, shape: shape(&state), call: of(&SAVES, at) },
        wire::Kind::Restore { version, state } => {
            EntryKind::Restore { version, shape: shape(&state), call: of(&RESTORES, at) }
        }
    };
    Entry { exclusive: entry.exclusive, kind }
}

impl Home for Abroad {
    fn lodge(&self, _: &Descriptor, place: &Place, handle: Handle) -> Result<Lodging, ModuleError> {
        let end = host::end(handle);
        let mut failed = Ok(());
        let far = Arc::new_cyclic(|this: &Weak<Far>| {
            let asks: Weak<dyn Asks> = this.clone();
            let process = self.spawn.spawn(asks).map_err(|error| failed = Err(error)).ok();
            Far { process, end, name: place.name, instance: core::ptr::from_ref(place).addr(), this: this.clone() }
        });
        failed?;
        let create = Down::Create { id: place.id.0, data_dir: place.data_dir.as_deref() };
        let mut error = Vec::new();
        match far.converse(&create, Some(place), &mut error)? {
            Status::Handled => Ok(Lodging { data: Box::into_raw(Box::new(far)).cast(), attached: None }),
            _ => Err(fault::read_module(&error)),
        }
    }

    fn attach(&self, _: &'static HostCalls, _: HostEnd, _: &Place) -> Option<Attached> {
        None
    }

    fn placement(&self) -> Placement {
        Placement::Process
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
    end: HostEnd,
    name: &'static str,
    /// The instance's address.
    instance: usize,
    this: Weak<Self>,
}

impl Drop for Far {
    fn drop(&mut self) {
        // SAFETY: the end was made with this, and goes back once.
        unsafe { (host::calls().release)(self.end) };
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

    /// Answers what the process asks.
    fn answer(&self, ask: &Up<'_>, place: Option<&Place>, answer: &mut Vec<u8>) {
        let calls = host::calls();
        let mut error = Vec::new();
        let end = self.end;
        // SAFETY: here and below the end is this one's, and goes back when this goes; the place is of the call under way.
        let told = match *ask {
            Up::Done { .. } => return,
            Up::Config { key } => {
                let value = place.and_then(|place| unsafe { (calls.config)(end, place, key) });
                // SAFETY: the configuration lives as long as the runtime, of which a call is under way.
                Told::Text(value.map(|value| unsafe { &*value }))
            }
            Up::Publish(ref event) => {
                let crossing = Crossing { topic: event.topic, name: event.name, payload: payload(&event.payload) };
                let outcome = unsafe { (calls.publish)(end, &crossing, &mut error) };
                let super::Outcome { handled, ignored, deferred, queued, failed, dropped, paused, module } = outcome;
                let counts = [handled, ignored, deferred, queued, failed, dropped];
                *answer = wire::to_bytes(&Told::Published { counts, paused, module, error: Bytes(&error) });
                return;
            }
            Up::Subscribe { name, ref topics, priority, closure, owned } => {
                let topics: Vec<Topic<'_>> = topics.iter().map(topic).collect();
                let ear = FarEar { far: self.this.clone(), closure };
                let closure = GuestClosure(Box::into_raw(Box::new(ear)).cast_const().cast());
                let name = fault::intern(name);
                let asked = Subscription { name, topics: &topics, priority, closure, ear: EARS };
                let owner = place.filter(|_| owned);
                match unsafe { (calls.subscribe)(end, owner, &asked, &mut error) } {
                    Some(id) => Told::Number(id),
                    None => Told::Failed(Bytes(&error)),
                }
            }
            Up::Unsubscribe { subscription } => {
                done(unsafe { (calls.unsubscribe)(end, subscription, &mut error) }, &error)
            }
            Up::Resolve { target, request } => match unsafe { (calls.resolve)(end, target, request, &mut error) } {
                Some(route) => Told::Number(route),
                None => Told::Failed(Bytes(&error)),
            },
            Up::Agree { route, args, reply } => {
                done(unsafe { (calls.agree)(end, route, &Codec::told(args, reply), &mut error) }, &error)
            }
            Up::Call { route, request, timeout, args } => {
                let (asked, mut reply) = (Asked { route, request, timeout }, Vec::new());
                if unsafe { (calls.call)(end, &asked, args.0, &mut reply, &mut error) } {
                    *answer = wire::to_bytes(&Told::Reply(Bytes(&reply)));
                    return;
                }
                Told::Failed(Bytes(&error))
            }
            Up::Request { route, timeout, ref letter } => {
                let asked = Asked { route, request: letter.request, timeout };
                let mut respond = |response: Answer<'_>| {
                    *answer = wire::to_bytes(&Told::Response(response.to_wire()));
                };
                if unsafe { (calls.request)(end, &asked, &letter.to_request(), &mut respond, &mut error) } {
                    return;
                }
                Told::Failed(Bytes(&error))
            }
        };
        *answer = wire::to_bytes(&told);
    }
}

fn done(done: bool, error: &[u8]) -> Told<'_> {
    if done { Told::Done } else { Told::Failed(Bytes(error)) }
}

fn payload<'a>(payload: &wire::Payload<'a>) -> Payload<'a> {
    match *payload {
        wire::Payload::Bytes(Bytes(bytes)) => Payload::Bytes(bytes),
        wire::Payload::Encoded { shape, bytes: Bytes(bytes) } => Payload::Encoded { shape, bytes },
        wire::Payload::Refused => Payload::Refused,
    }
}

fn topic<'a>(topic: &wire::Topic<'a>) -> Topic<'a> {
    match *topic {
        wire::Topic::Type { topic, name, shape } => {
            Topic::Type { topic: fault::intern(topic), name: fault::intern(name), shape }
        }
        wire::Topic::Named(name) => Topic::Named(name),
        wire::Topic::All => Topic::All,
    }
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
}

/// An event as it goes over the wire: a built-in one is encoded too.
pub(super) fn sent<'a>(event: &Crossing<'a>, bytes: &'a mut Vec<u8>) -> wire::Event<'a> {
    let payload = match event.payload {
        Payload::Builtin(value) => match Builtin::of(event.name) {
            Some(builtin) => {
                // SAFETY: whoever lends a built-in event says truly which it is.
                let done = unsafe { (builtin.codec.encode)(value, bytes) };
                if done {
                    wire::Payload::Encoded { shape: builtin.codec.shape, bytes: Bytes(bytes) }
                } else {
                    wire::Payload::Refused
                }
            }
            None => wire::Payload::Refused,
        },
        Payload::Bytes(bytes) => wire::Payload::Bytes(Bytes(bytes)),
        Payload::Encoded { shape, bytes } => wire::Payload::Encoded { shape, bytes: Bytes(bytes) },
        Payload::Refused => wire::Payload::Refused,
    };
    wire::Event { topic: event.topic, name: event.name, payload }
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
    let hear = Down::Hear { closure: ear.closure, event: sent(event, &mut bytes) };
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

/// How many handlers a module in a process can have.
const MOST: usize = 256;

/// A table with a function for each place in a module's table: what a handler's function is not told is where it stands.
macro_rules! places {
    ($function:ident) => { places!($function: 0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15) };
    ($function:ident: $($row:literal)*) => { [$(row!($function $row)),*] };
}
macro_rules! row {
    ($function:ident $row:literal) => { row!($function $row: 0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15) };
    ($function:ident $row:literal: $($at:literal)*) => { [$($function::<{ 16 * $row + $at }>),*] };
}

static STEPS: [[StepFn; 16]; 16] = places!(step);
static EVENTS: [[EventFn; 16]; 16] = places!(event);
static REQUESTS: [[TypedFn; 16]; 16] = places!(request);
static RAW: [[RawFn; 16]; 16] = places!(raw);
static SAVES: [[SaveFn; 16]; 16] = places!(save);
static RESTORES: [[RestoreFn; 16]; 16] = places!(restore);

fn of<T: Copy>(table: &[[T; 16]; 16], at: usize) -> T {
    table[at / 16][at % 16]
}

/// The instance behind a module's data.
///
/// # Safety
/// `lodge` made it, and `destroy` has not come yet.
unsafe fn far<'a>(data: *mut ()) -> &'a Far {
    // SAFETY: the caller's promise.
    unsafe { &*data.cast::<Arc<Far>>() }
}

unsafe fn configure(key: &'static str, data: *mut (), value: Option<&str>, cx: &Context) -> Status {
    // SAFETY: the invariant of `erase.rs`, here and below.
    unsafe { far(data) }.call(&Down::Configure { key, value }, &mut Vec::new(), cx)
}

unsafe fn step<const AT: u16>(data: *mut (), cx: &Context) -> Status {
    // SAFETY: as above.
    unsafe { far(data) }.call(&Down::Step { entry: AT }, &mut Vec::new(), cx)
}

unsafe fn event<const AT: u16>(data: *mut (), delivery: &Delivery<'_>, cx: &Context) -> Status {
    let mut bytes = Vec::new();
    let event = sent(&delivery.crossing(), &mut bytes);
    // SAFETY: as above.
    unsafe { far(data) }.call(&Down::Event { entry: AT, event }, &mut Vec::new(), cx)
}

/// The arguments and the reply of a request, as [`Codec::of_bytes`] passes them on.
pub(crate) struct InBytes<'a> {
    pub(crate) args: &'a [u8],
    pub(crate) reply: &'a mut dyn Sink,
}

unsafe fn request<const AT: u16>(data: *mut (), args: *mut (), _: *mut (), cx: &Context) -> Status {
    // SAFETY: the codec that stands beside this in the entry passes nothing else.
    let InBytes { args, reply } = unsafe { &mut *args.cast::<InBytes<'_>>() };
    // SAFETY: as above.
    unsafe { far(data) }.call(&Down::Request { entry: AT, args: Bytes(args) }, *reply, cx)
}

unsafe fn raw<const AT: u16>(
    data: *mut (),
    request: &Request,
    response: &mut Option<Response>,
    cx: &Context,
) -> Status {
    let mut bytes = Vec::new();
    // SAFETY: as above.
    let status =
        unsafe { far(data) }.call(&Down::Raw { entry: AT, request: wire::Letter::of(request) }, &mut bytes, cx);
    if status == Status::Handled {
        let answer: Option<wire::Answer<'_>> = decode(&bytes);
        *response = answer.map(|answer| answer.to_response());
    }
    status
}

unsafe fn save<const AT: u16>(data: *mut (), sink: &mut dyn Sink, cx: &Context) -> Status {
    // SAFETY: as above.
    unsafe { far(data) }.call(&Down::Save { entry: AT }, sink, cx)
}

unsafe fn restore<const AT: u16>(data: *mut (), state: &[u8], cx: &Context) -> Status {
    // SAFETY: as above.
    unsafe { far(data) }.call(&Down::Restore { entry: AT, state: Bytes(state) }, &mut Vec::new(), cx)
}

impl Answer<'_> {
    pub(super) fn to_wire(&self) -> wire::Answer<'_> {
        match *self {
            Self::Success(bytes) => wire::Answer::Success(Bytes(bytes)),
            Self::Error(text) => wire::Answer::Error(text),
            Self::Rejected(text) => wire::Answer::Rejected(text),
            Self::NotSupported => wire::Answer::NotSupported,
        }
    }
}

impl wire::Answer<'_> {
    pub(super) fn to_response(&self) -> Response {
        match *self {
            Self::Success(Bytes(bytes)) => Response::Success(bytes.into()),
            Self::Error(text) => Response::Error(text.into()),
            Self::Rejected(text) => Response::Rejected(text.into()),
            Self::NotSupported => Response::NotSupported,
        }
    }
}

const PRIORITIES: [MessagePriority; 4] =
    [MessagePriority::Low, MessagePriority::Normal, MessagePriority::High, MessagePriority::Critical];

impl<'a> wire::Letter<'a> {
    pub(super) fn of(request: &'a Request) -> Self {
        let priority = PRIORITIES.iter().position(|priority| *priority == request.priority).unwrap_or(1);
        Self {
            source: request.source(),
            request: &request.request_type,
            payload: Bytes(&request.payload),
            priority: priority as u8,
            timeout: request.timeout,
        }
    }

    pub(super) fn to_request(&self) -> Request {
        let mut request = Request::new(self.request).with_payload(self.payload.0);
        request.priority = PRIORITIES.get(usize::from(self.priority)).copied().unwrap_or_default();
        request.timeout = self.timeout;
        request
    }
}
