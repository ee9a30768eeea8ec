//! A descriptor of what a process tells of its module: each handler's function sends.

use alloc::boxed::Box;
use alloc::string::{String, ToString};
use alloc::sync::Arc;
use alloc::vec::Vec;

use super::{Abroad, Far, Spawn, destroy};
use crate::abi::AbiTag;
use crate::boundary::schema::Schema;
use crate::boundary::wire::{self, Bytes, Down};
use crate::codec::Codec;
use crate::config::ConfigKey;
use crate::context::Context;
use crate::descriptor::{
    Descriptor, Entry, EntryKind, EventFn, RawFn, RequestEntry, RequestFn, RestoreFn, SaveFn, SettingEntry, Status,
    StepFn, TypedFn, VTable,
};
use crate::error::ModuleError;
use crate::event::{Delivery, Hears, SubscriptionPriority};
use crate::info::ModuleInfo;
use crate::message::{Sink, decode};
use crate::request::{Request, Response};

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

/// The descriptor of a module that lives in processes of its own, whose table one of them has sent.
///
/// What it needs is allocated for good: some hundred bytes a handler.
///
/// # Errors
/// When the table is none.
pub fn descriptor(info: ModuleInfo, table: &[u8], spawn: Arc<dyn Spawn>) -> Result<&'static Descriptor, TableFault> {
    let fault = |found: String, expected| TableFault { module: info.name.to_string(), found, expected };
    if table.len() > LONGEST {
        return Err(fault(table.len().to_string() + " bytes", "1 MiB at most"));
    }
    let table: wire::Table<Schema> =
        decode(table).ok_or_else(|| fault("something else".into(), "a table of this protocol's version"))?;
    if table.settings.len() > MOST {
        return Err(fault(table.settings.len().to_string() + " keys", "256 at most"));
    }
    if table.entries.len() > MOST || usize::from(table.own) > table.entries.len() {
        return Err(fault(table.entries.len().to_string() + " handlers", "256 at most"));
    }
    let settings: Vec<SettingEntry> = table.settings.into_iter().map(setting).collect();
    let own = usize::from(table.own);
    let entries: Option<Vec<Entry>> = table.entries.into_iter().enumerate().map(|(at, told)| entry(at, told)).collect();
    let entries =
        entries.ok_or_else(|| fault("a sequence of values that take no bytes".into(), "types that can travel"))?;
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

fn setting(setting: wire::Setting) -> SettingEntry {
    let wire::Setting { name, ty, default, doc } = setting;
    let key = ConfigKey { name: kept(name), ty: kept(ty), default: default.map(kept), doc: kept(doc) };
    SettingEntry { key, load: configure }
}

/// Nothing where a type in it cannot travel.
fn entry(at: usize, entry: wire::Entry<Schema>) -> Option<Entry> {
    let kind = match entry.kind {
        wire::Kind::Step(step) => EntryKind::Step(step, of(&STEPS, at)),
        wire::Kind::Event { hears, priority } => {
            let hears = match hears {
                wire::Hears::Type { topic, name, ty } => Hears::from_abroad(kept(topic), kept(name), ty.shape()?),
                wire::Hears::Named(name) => Hears::Named(kept(name)),
                wire::Hears::All => Hears::All,
            };
            EntryKind::Event { hears, priority: SubscriptionPriority(priority), call: of(&EVENTS, at) }
        }
        wire::Kind::Request { name, params, doc, permission, types } => {
            let call = match types {
                Some((args, reply)) => {
                    let codec = Box::leak(Box::new(Codec::of_bytes(args.shape()?, reply.shape()?)));
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
        wire::Kind::Save { version, state } => EntryKind::Save { version, shape: state.shape()?, call: of(&SAVES, at) },
        wire::Kind::Restore { version, state } => {
            EntryKind::Restore { version, shape: state.shape()?, call: of(&RESTORES, at) }
        }
    };
    Some(Entry { exclusive: entry.exclusive, kind })
}

/// How long a table can be, in bytes: what it says is kept for good.
const LONGEST: usize = 1 << 20;
/// How many handlers, and how many keys, a module in a process can have.
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
    let event = wire::Event::of(&delivery.crossing(), &mut bytes);
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
        let Some(answer) = answer else {
            cx.fail_here(ModuleError::new("found a response that is none, expected one of this protocol's version"));
            return Status::Failed;
        };
        *response = Some(answer.to_response());
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
