//! All that is known of a module, without its type: what a runtime is given.

use crate::abi::AbiTag;
use crate::codec::Codec;
use crate::config::ConfigKey;
use crate::context::Context;
use crate::event::{Delivery, Hears, SubscriptionPriority};
use crate::info::ModuleInfo;
use crate::message::Sink;
use crate::request::{Request, Response};
use crate::schema::Shape;

/// What a call of a handler came to. What went wrong is in the context.
#[doc(hidden)]
#[cfg_attr(feature = "std", derive(serde::Serialize, serde::Deserialize))]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Status {
    Handled,
    Ignored,
    Deferred,
    Failed,
    Panicked,
    /// The argument's bytes are not what the schema says; nothing was called.
    Malformed,
    /// The reply does not fit into the caller's buffer.
    Full,
    /// Caller and handler disagree on a type; nothing was called.
    Mismatch,
    /// The reply's bytes are not what the schema says.
    BadReply,
}

impl Status {
    /// Whether an event was handled or ignored, so that nothing else need be done about it.
    #[inline(always)]
    pub(crate) fn is_usual(self) -> bool {
        matches!(self, Self::Handled | Self::Ignored)
    }
}

pub(crate) type StepFn = unsafe fn(*mut (), &Context) -> Status;
pub(crate) type EventFn = unsafe fn(*mut (), &Delivery<'_>, &Context) -> Status;
pub(crate) type TypedFn = unsafe fn(*mut (), *mut (), *mut (), &Context) -> Status;
pub(crate) type RawFn = unsafe fn(*mut (), &Request, &mut Option<Response>, &Context) -> Status;
pub(crate) type SaveFn = unsafe fn(*mut (), &mut dyn Sink, &Context) -> Status;
pub(crate) type RestoreFn = unsafe fn(*mut (), &[u8], &Context) -> Status;
pub(crate) type LoadFn = unsafe fn(&'static str, *mut (), Option<&str>, &Context) -> Status;

/// A step of a module's life that it may handle.
#[doc(hidden)]
#[cfg_attr(feature = "std", derive(serde::Serialize, serde::Deserialize))]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    Init,
    Start,
    Stop,
    Health,
}

impl Step {
    pub(crate) const fn attribute(self) -> &'static str {
        match self {
            Self::Init => "on_init",
            Self::Start => "on_start",
            Self::Stop => "on_stop",
            Self::Health => "on_health",
        }
    }
}

/// One handler.
#[derive(Debug, Clone, Copy)]
pub struct Entry {
    /// Whether it takes `&mut self`, so that it runs alone.
    pub(crate) exclusive: bool,
    pub(crate) kind: EntryKind,
}

#[derive(Debug, Clone, Copy)]
pub(crate) enum EntryKind {
    Step(Step, StepFn),
    Event { hears: Hears<'static>, priority: SubscriptionPriority, call: EventFn },
    Request(RequestEntry),
    Save { version: u32, shape: Shape, call: SaveFn },
    Restore { version: u32, shape: Shape, call: RestoreFn },
}

impl RequestEntry {
    /// The schemas of its arguments, a tuple, and of its reply; nothing for one that takes and gives bytes.
    pub fn shapes(&self) -> Option<(Shape, Shape)> {
        match self.call {
            RequestFn::Typed(_, codec) => {
                let (args, reply) = codec.shapes();
                Some((*args, *reply))
            }
            RequestFn::Raw(_) => None,
        }
    }
}

/// One request of a module.
#[derive(Debug, Clone, Copy)]
pub struct RequestEntry {
    /// Its name.
    pub name: &'static str,
    /// The names of its arguments, in order.
    pub params: &'static [&'static str],
    /// Its doc comment.
    pub doc: &'static str,
    /// What a caller must be allowed to do.
    pub permission: Option<&'static str>,
    pub(crate) call: RequestFn,
}

#[derive(Debug, Clone, Copy)]
pub(crate) enum RequestFn {
    Typed(TypedFn, &'static Codec),
    Raw(RawFn),
}

/// A configurable key, with how it is put into the module.
#[derive(Debug, Clone, Copy)]
pub(crate) struct SettingEntry {
    pub(crate) key: ConfigKey,
    pub(crate) load: LoadFn,
}

/// What is done to an instance as a whole; the handlers are in the tables.
#[derive(Debug, Clone, Copy)]
pub(crate) struct VTable {
    /// Makes an instance, or nothing when its constructor panics.
    pub(crate) create: unsafe fn() -> *mut (),
    pub(crate) destroy: unsafe fn(*mut ()),
}

/// Where the instances of a module live.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Placement {
    /// In the program that it is linked to.
    Static,
    /// In a library that the program has loaded.
    Dylib,
    /// In a process of its own.
    Process,
}

impl core::fmt::Display for Placement {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.pad(match self {
            Self::Static => "static",
            Self::Dylib => "dylib",
            Self::Process => "process",
        })
    }
}

/// All that is known of a module: its metadata, its tables, its functions and what it was built with.
///
/// Made by `#[helix_module]`; [`modules!`](crate::modules) gathers them.
#[derive(Debug, Clone, Copy)]
pub struct Descriptor {
    /// What it was built with.
    pub abi: AbiTag,
    /// Its metadata.
    pub info: ModuleInfo,
    pub(crate) settings: &'static [SettingEntry],
    pub(crate) handlers: &'static [Entry],
    pub(crate) contracts: &'static [&'static [Entry]],
    pub(crate) vtable: VTable,
    /// Where its instances live, if it is not linked to this program.
    #[cfg(feature = "std")]
    pub(crate) home: Option<&'static dyn crate::boundary::Home>,
}

impl Descriptor {
    /// One of a module that does nothing.
    pub(crate) const fn of_info(info: ModuleInfo) -> Self {
        Self {
            abi: AbiTag::THIS,
            info,
            settings: &[],
            handlers: &[],
            contracts: &[],
            vtable: VTable { create: || core::ptr::null_mut(), destroy: |_| {} },
            #[cfg(feature = "std")]
            home: None,
        }
    }

    /// Where its instances live.
    pub(crate) fn placement(&self) -> Placement {
        #[cfg(feature = "std")]
        return self.home.map_or(Placement::Static, |home| home.placement());
        #[cfg(not(feature = "std"))]
        Placement::Static
    }

    /// Whether its instances come by themselves, so that none can be made.
    pub(crate) fn comes_by_itself(&self) -> bool {
        #[cfg(feature = "std")]
        return self.home.is_some_and(|home| home.comes_by_itself());
        #[cfg(not(feature = "std"))]
        false
    }

    /// Whether events wait for its instances, so that nobody waits who publishes them.
    pub(crate) fn queues(&self) -> bool {
        #[cfg(feature = "std")]
        return self.home.is_some_and(|home| home.queues());
        #[cfg(not(feature = "std"))]
        false
    }

    /// Its configurable keys.
    pub fn config(&self) -> impl Iterator<Item = &'static ConfigKey> + use<> {
        self.settings.iter().map(|setting| &setting.key)
    }

    /// Its requests, its own first, then those of the contracts it provides.
    pub fn requests(&self) -> impl Iterator<Item = &'static RequestEntry> + use<> {
        self.entries().filter_map(|entry| match &entry.kind {
            EntryKind::Request(request) => Some(request),
            _ => None,
        })
    }

    pub(crate) fn entries(&self) -> impl Iterator<Item = &'static Entry> + use<> {
        let contracts = self.contracts;
        self.handlers.iter().chain(contracts.iter().flat_map(|entries| entries.iter()))
    }

    /// Whether no handler that can be called while others may be inside takes `&mut self`.
    ///
    /// `on_init` and `on_restore` are called before the module runs for the first time; `on_start` may come again.
    pub(crate) fn needs_no_lock(&self) -> bool {
        !self.entries().any(|entry| {
            entry.exclusive && !matches!(entry.kind, EntryKind::Step(Step::Init, _) | EntryKind::Restore { .. })
        })
    }

    pub(crate) fn step(&self, step: Step) -> Option<StepFn> {
        self.handlers.iter().find_map(|entry| match entry.kind {
            EntryKind::Step(found, call) if found == step => Some(call),
            _ => None,
        })
    }
}
