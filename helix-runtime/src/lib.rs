//! Helix: modules from attributes, linked into a kernel or a program, called the same way everywhere.
//!
//! ```
//! use helix_runtime::prelude::*;
//! use helix_runtime::{Runtime, modules};
//!
//! /// Counts the ticks.
//! #[helix_module(name = "counter")]
//! #[derive(Default)]
//! pub struct Counter { seen: u64 }
//!
//! #[helix_handlers]
//! impl Counter {
//!     #[on_event(Tick)]
//!     fn tick(&mut self) { self.seen += 1; }
//!     #[on_request]
//!     fn seen(&self) -> u64 { self.seen }
//! }
//!
//! let runtime = Runtime::builder().modules(modules![Counter]).build()?;
//! runtime.start()?;
//! let result = runtime.publish(&Tick { timestamp_ns: 1_000_000, tick_number: 1 });
//! assert_eq!(result.handled, 1);
//! assert_eq!(runtime.call::<(), u64>("counter.seen", ())?, 1);
//! runtime.stop()?;
//! # Ok::<(), Box<dyn core::error::Error>>(())
//! ```
//!
//! The [`guide`] leads from the first module to contracts and configuration.
//!
//! # Features
//!
//! - `std`: a handler's panic is caught and becomes an error, threads wait for a busy module in turn, and the chain of
//!   calls is known to a kept [`Handle`] or client too. The program that runs the modules switches it on; a module
//!   crate has no need to.
//! - `global`: one runtime for the whole program, and free functions that use it.
//!
//! # Targets
//!
//! Any, without std and with `alloc`. Where there is no compare-and-swap (thumbv6m, riscv32imc) the crate is [`irq`]
//! alone, and needs no allocator either.

#![no_std]

#[cfg(target_has_atomic = "ptr")]
extern crate alloc;
#[cfg(feature = "std")]
extern crate std;
// The derives of this crate's own events name it as any other crate does.
extern crate self as helix_runtime;

#[cfg(target_has_atomic = "ptr")]
mod export;
pub mod irq;
mod sync;

// All else needs compare-and-swap, to begin with for its `Arc`s.
cfg_if::cfg_if! { if #[cfg(target_has_atomic = "ptr")] {

mod abi;
mod barrier;
#[cfg(feature = "std")]
pub mod boundary;
mod bus;
pub mod channel;
mod chain;
mod check;
mod client;
mod closure;
mod codec;
mod config;
mod context;
mod descriptor;
mod erase;
mod error;
mod event;
#[cfg(feature = "global")]
pub mod global;
mod handle;
mod handwritten;
mod host;
mod info;
mod lock;
mod message;
pub mod modinfo;
mod module;
mod place;
mod request;
mod router;
mod runtime;
mod schema;
mod set;
mod text;
pub mod v1;
mod version;

pub use abi::AbiTag;
pub use bus::{
    BusStats, EventBus, EventHandler, EventSubscription, EventTopic, ListenerStats, SubscriptionId, TypeTopic,
};
pub use channel::{channel, default_channel, oneshot, spsc};
pub use client::Client;
pub use closure::RequestHandler;
pub use config::{Config, ConfigKey, ConfigMap, FromConfig, expected_value};
pub use context::Context;
pub use descriptor::{Descriptor, Placement, RequestEntry};
pub use error::{CallError, IpcError, IpcResult, ModuleError, ModuleResult, ModuleState};
pub use event::{
    ConfigLoaded, CpuHotplug, CrashCause, Custom, DataMaintenance, DiskSpaceLow, Event, EventResponse, EventType,
    EventsLost, HealthCheck, Interrupt, MaintenanceCompleted, MaintenanceReason, MaintenanceStarted, MemoryPressure,
    ModuleCrashed, ModuleLoaded, ModuleName, ModuleReloaded, ModuleUnloaded, NodeShutdown, NodeShutdownCompleted,
    NodeStartupCompleted, Operation, PressureLevel, Process, ProcessCreated, ProcessExited, Publish, PublishResult,
    ResourceLimitWarning, Shutdown, SubscriptionPriority, Tick, Urgency,
};
pub use handle::Handle;
pub use handwritten::ModuleTrait;
pub use helix_macros::{EventType, helix_handlers, helix_message, helix_module, helix_service};
pub use host::Host;
pub use info::{Dependencies, Dependency, ModuleFlags, ModuleInfo, ModuleKind, check_name};
pub use log;
pub use message::{Arg, Args, Message, Return};
pub use module::{Handlers, Module};
pub use place::ModuleId;
pub use request::{MessagePriority, Request, Response};
pub use router::{MailboxStats, MessageRouter, ModuleAddress};
pub use runtime::{
    BuildError, BuildFault, Builder, Clock, Edge, LifecycleError, MessageId, Missing, ModuleHealth, ModuleStatus,
    Polled, Replacement, ReplyHandler, Resolved, Runtime, SavedState, StartPlan, StateFault, Supervision, Transition,
};
#[cfg(feature = "std")]
pub use runtime::{HeardEvent, SystemClock};
pub use schema::Shape;
pub use set::{Fault, ModuleSet};
pub use version::{ModuleVersion, Requirement, VersionError};

#[doc = include_str!("../docs/guide.md")]
pub mod guide {}

#[doc = include_str!("../docs/kernel.md")]
pub mod kernel {}

#[doc = include_str!("../docs/module-system.md")]
pub mod module_system {}

#[cfg(all(doctest, not(feature = "global")))]
compile_error!("the blocks of the IPC document need the feature `global`");

#[doc = include_str!("../docs/ipc.md")]
pub mod ipc {}

#[cfg(doctest)]
#[doc = include_str!("../../README.md")]
mod readme {}

/// What a module's source needs: `use helix_runtime::prelude::*;`.
pub mod prelude {
    pub use crate::{
        CallError, ConfigLoaded, Context, CpuHotplug, Custom, DataMaintenance, DiskSpaceLow, Event, EventResponse,
        EventType, EventsLost, Handle, HealthCheck, Interrupt, IpcError, MemoryPressure, ModuleCrashed, ModuleError,
        ModuleLoaded, ModuleReloaded, ModuleResult, ModuleUnloaded, NodeShutdown, NodeStartupCompleted, PressureLevel,
        Process, ProcessCreated, ProcessExited, Request, ResourceLimitWarning, Response, Shutdown, Tick,
    };
    pub use helix_macros::{
        helix_handlers, helix_message, helix_module, helix_service, on_event, on_health, on_init, on_request,
        on_restore, on_save, on_start, on_stop,
    };
}

/// What the attributes' expansions name. Not for other use.
#[doc(hidden)]
pub mod glue {
    #[cfg(feature = "std")]
    pub use crate::boundary::Export;
    pub use crate::check::{check_contract, check_module, check_reloadable};
    pub use crate::client::{Client, Link};
    pub use crate::codec::Codec;
    pub use crate::context::Context;
    pub use crate::descriptor::{Descriptor, Step};
    pub use crate::erase::{Handler, Setting};
    pub use crate::event::{Event, SubscriptionPriority as Priority};
    pub use crate::message::schema_of;
    pub use crate::modinfo::{record, record_len};
    pub use crate::module::{Contract, Handlers};
    pub use crate::set::{check_cycle, check_member};
    pub use crate::{__export as export, __record as record};
    pub use helix_macros::modules;
    pub use postcard_schema::Schema;
    pub use postcard_schema::schema::{DataModelType, DataModelVariant, NamedType, NamedValue, NamedVariant};
    pub use serde;
}

}}

/// Gathers annotated modules, checks that they fit together, and writes their records into the program.
///
/// Checked at compile time, each on its own module: a name twice, a dependency unmet (unless the list ends in `..`:
/// others may come later), a cycle, a layering broken.
///
/// ```
/// # use helix_runtime::prelude::*;
/// # #[helix_module] #[derive(Default)] pub struct Timer;
/// # #[helix_handlers] impl Timer {}
/// let set = helix_runtime::modules![Timer];
/// assert_eq!(set.descriptors()[0].info.name, "timer");
/// ```
#[macro_export]
macro_rules! modules {
    ($($modules:tt)*) => { $crate::glue::modules! { [$crate] $($modules)* } };
}
