//! Modules that run together: what a program calls. Behind it are the one dispatch and the steps of a life.

mod announce;
mod builder;
mod counts;
mod direct;
mod dispatch;
mod faults;
mod gate;
mod health;
mod inner;
#[cfg(feature = "std")]
mod inspect;
mod instance;
mod lifecycle;
mod listeners;
mod mailbox;
mod members;
mod messages;
mod names;
mod patience;
mod plan;
mod poll;
mod publish;
#[cfg(feature = "std")]
mod queued;
#[cfg(feature = "std")]
mod readers;
mod redeliver;
mod registry;
mod replace;
mod report;
mod slot;
mod state;
mod sticky;
mod supervise;
mod topics;
#[cfg(feature = "std")]
mod wait;
mod walk;
mod way;
mod word;

pub use builder::{Builder, Missing};
pub use faults::{BuildError, BuildFault};
pub use health::ModuleHealth;
#[cfg(feature = "std")]
pub use inspect::HeardEvent;
pub use lifecycle::{LifecycleError, Transition};
pub use mailbox::{MessageId, ReplyHandler};
pub use plan::StartPlan;
#[cfg(feature = "std")]
pub use poll::SystemClock;
pub use poll::{Clock, Polled};
pub use report::Replacement;
pub use state::{SavedState, StateFault};
pub use supervise::Supervision;

pub(crate) use counts::Count;
#[cfg(feature = "std")]
pub(crate) use counts::Tallies;
pub(crate) use names::ANY as ANY_REQUEST;
pub(crate) use patience::Patience;
#[cfg(feature = "std")]
pub(crate) use readers::{Mark, Record};
pub(crate) use word::Access;

use alloc::boxed::Box;
use alloc::string::ToString;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::fmt;

use crate::client::{self, Client};
use crate::codec::Codec;
use crate::context::Context;
use crate::descriptor::Placement;
use crate::error::{IpcError, IpcResult, ModuleState};
use crate::event::{Publish, PublishResult};
use crate::handle::Handle;
use crate::host::{Host, Route, To};
use crate::info::{Dependency, ModuleInfo};
use crate::message::{Args, Buffer, Message};
use crate::place::ModuleId;
use crate::request::{Request, Response};
use inner::Inner;

/// Modules that run together in this program: the static placement.
///
/// Dropping it stops what runs and destroys every instance.
pub struct Runtime {
    inner: Arc<Inner>,
}

/// A module as the runtime sees it.
#[derive(Debug, Clone)]
pub struct ModuleStatus {
    /// Its id.
    pub id: ModuleId,
    /// Its metadata.
    pub info: ModuleInfo,
    /// Where it stands in its life.
    pub state: ModuleState,
    /// Whether it runs without a lock, because no handler of it takes `&mut self` while it runs.
    pub lockless: bool,
    /// How often supervision has started it again.
    pub restarts: u32,
    /// Which instance it is: 1 for the first, and one more for each that has taken its place.
    pub generation: u32,
    /// Where it lives.
    pub placement: Placement,
    /// For each of its dependencies, in their order, the module that meets it; none for an optional one that is missing.
    pub needs: Vec<(Dependency, Option<&'static str>)>,
}

/// One module needs another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Edge {
    /// Who needs it.
    pub from: &'static str,
    /// Who meets the need.
    pub to: &'static str,
    /// The need.
    pub dependency: Dependency,
}

impl Runtime {
    /// Gathers what a runtime is made of.
    pub fn builder() -> Builder {
        Builder::new()
    }

    /// Publishes an event to all running modules that listen to it, on this thread, in the order of their priority.
    #[inline]
    pub fn publish(&self, event: &impl Publish) -> PublishResult {
        event.deliver(|delivery| self.inner.publish(None, delivery))
    }

    /// The same with an end: for modules that others are in it waits no longer, and nor does whatever is asked on behalf of those
    /// who hear it; they see what is left ([`Context::time_left`]). With `std` only: without, nobody waits.
    ///
    /// ```
    /// use core::time::Duration;
    /// use helix_runtime::{Runtime, Shutdown};
    ///
    /// let runtime = Runtime::builder().build()?;
    /// assert_eq!(runtime.publish_within(&Shutdown, Duration::from_secs(1)).handled, 0);
    /// # Ok::<(), Box<dyn core::error::Error>>(())
    /// ```
    #[cfg(feature = "std")]
    pub fn publish_within(&self, event: &impl Publish, time: core::time::Duration) -> PublishResult {
        let patience = Patience::of(time);
        event.deliver(|delivery| {
            crate::irq::assert_task_level("`publish_within`");
            self.inner.publish_unless(true, None, delivery, |_| true, patience)
        })
    }

    /// Sends a request in bytes to a module or a service.
    pub fn request(&self, target: &str, request: Request) -> IpcResult<Response> {
        client::request(&*self.inner, None, target, request)
    }

    /// Calls `module.request` (or `service.request`) with its argument in postcard, and writes the reply into `reply`.
    ///
    /// Allocates nothing of its own. Returns the reply's length in bytes.
    pub fn request_into(&self, request: &str, args: &[u8], reply: &mut [u8]) -> IpcResult<usize> {
        let mut buffer = Buffer::new(reply);
        client::call_bytes(&*self.inner, None, request, args, &mut buffer)?;
        Ok(buffer.len())
    }

    /// Calls `module.request` (or `service.request`) with typed arguments.
    pub fn call<A: Args, R: Message>(&self, request: &str, args: A::Of<'_>) -> IpcResult<R> {
        client::call::<A, R>(&*self.inner, None, &To::Path(request), args)
    }

    /// Finds `module.request` (or `service.request`) once, for many calls.
    pub fn resolve<A: Args, R: Message>(&self, request: &str) -> IpcResult<Resolved<'_, A, R>> {
        let (target, name) = client::split_path(request)?;
        let route = self.inner.resolve(target, name)?;
        self.inner.agree(route, Codec::of::<A, R>())?;
        Ok(Resolved { inner: &self.inner, route, name: name.into(), types: core::marker::PhantomData })
    }

    /// A client of a service, resolved once; it may be kept.
    pub fn service<C: Client>(&self) -> IpcResult<C> {
        client::connect(&*self.inner)
    }

    /// What may be kept and sent to other threads, without keeping the runtime alive.
    pub fn handle(&self) -> Handle {
        self.inner.handle()
    }

    /// The id of the module of that name.
    pub fn module_id(&self, name: &str) -> IpcResult<ModuleId> {
        let registry = self.inner.registry();
        let found = registry.index_of(name).map(|at| registry.members[at].instance.slot.id);
        found.ok_or_else(|| IpcError::ModuleNotFound { name: name.to_string() })
    }

    /// The module whose code runs, if one does: of the calls on this thread the innermost that is inside a module. It
    /// takes no lock and allocates nothing, so that a panic handler can ask whom to name. A closure that listens is named as
    /// it was subscribed; a module's `Drop` is not named.
    ///
    /// # Safety
    /// Without `std` there are no threads to tell apart: all calls of this runtime are made by one processor.
    ///
    /// ```
    /// # use helix_runtime::prelude::*;
    /// # use helix_runtime::{Runtime, modules};
    /// # use std::sync::OnceLock;
    /// #[helix_module(name = "fragile")]
    /// #[derive(Default)]
    /// pub struct Fragile;
    ///
    /// #[helix_handlers]
    /// impl Fragile {
    ///     #[on_request]
    ///     fn fail(&self) {
    ///         panic!("as it was asked to");
    ///     }
    /// }
    ///
    /// static RUNTIME: OnceLock<Runtime> = OnceLock::new();
    /// static BLAMED: OnceLock<&str> = OnceLock::new();
    ///
    /// // In a kernel this is the `#[panic_handler]`.
    /// std::panic::set_hook(Box::new(|_| {
    ///     // SAFETY: with `std` there is nothing to see to.
    ///     let module = RUNTIME.get().and_then(|runtime| unsafe { runtime.current_module() });
    ///     BLAMED.set(module.unwrap_or("none")).unwrap();
    /// }));
    /// let runtime = RUNTIME.get_or_init(|| Runtime::builder().modules(modules![Fragile]).build().unwrap());
    /// runtime.start()?;
    /// assert!(runtime.call::<(), ()>("fragile.fail", ()).is_err());
    /// assert_eq!(BLAMED.get(), Some(&"fragile"));
    /// # Ok::<(), Box<dyn core::error::Error>>(())
    /// ```
    pub unsafe fn current_module(&self) -> Option<&'static str> {
        // SAFETY: the call is under way: on this very stack, or on the one that an interrupt or a fault has left.
        let innermost = unsafe { self.inner.calls.innermost()?.as_ref() };
        let host = core::ptr::from_ref(&*self.inner).cast();
        let inside = |link: &&Context| link.is_of(host) && !core::ptr::eq(link.place(), &self.inner.root);
        innermost.links().find(inside).map(|link| link.place().name)
    }

    /// The modules, in the order in which they start.
    pub fn modules(&self) -> Vec<ModuleStatus> {
        let registry = self.inner.registry();
        let status = |at: &usize| {
            let member = &registry.members[*at];
            let instance = &member.instance;
            let needs = registry.plan.needs[*at].iter();
            let needs = needs.map(|met| met.map(|met| registry.members[met].instance.name()));
            ModuleStatus {
                id: instance.slot.id,
                info: instance.descriptor.info,
                state: instance.state(),
                lockless: instance.is_lockless(),
                restarts: member.supervised.restarts,
                generation: instance.generation,
                placement: instance.descriptor.placement(),
                needs: instance.descriptor.info.dependencies.iter().zip(needs).collect(),
            }
        };
        registry.plan.order.iter().map(status).collect()
    }

    /// Who needs whom: an edge from each module to each that meets one of its dependencies, in the order of the modules.
    pub fn graph(&self) -> Vec<Edge> {
        let modules = self.modules();
        let edges = modules.iter().flat_map(|module| {
            let met = module.needs.iter().filter_map(|(dependency, met)| Some((dependency, (*met)?)));
            met.map(|(dependency, to)| Edge { from: module.info.name, to, dependency: *dependency })
        });
        edges.collect()
    }
}

impl fmt::Debug for Runtime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let all = self.inner.in_order();
        f.debug_map().entries(all.iter().map(|instance| (instance.name(), instance.state()))).finish()
    }
}

/// A request that was found once, for many calls.
///
/// ```
/// # use helix_runtime::prelude::*;
/// # #[helix_module] #[derive(Default)] pub struct Doubler;
/// # #[helix_handlers] impl Doubler { #[on_request] fn double(&self, n: u64) -> u64 { n * 2 } }
/// # let runtime = helix_runtime::Runtime::builder().modules(helix_runtime::modules![Doubler]).build()?;
/// # runtime.start()?;
/// let double = runtime.resolve::<(u64,), u64>("doubler.double")?;
/// assert_eq!(double.call((21,))?, 42);
/// # Ok::<(), Box<dyn core::error::Error>>(())
/// ```
pub struct Resolved<'a, A, R> {
    inner: &'a Inner,
    route: Route,
    name: Box<str>,
    types: core::marker::PhantomData<fn(A) -> R>,
}

impl<A: Args, R: Message> Resolved<'_, A, R> {
    /// Makes the call.
    #[inline]
    pub fn call(&self, args: A::Of<'_>) -> IpcResult<R> {
        client::call::<A, R>(self.inner, None, &To::Route(self.route, &self.name), args)
    }
}

impl<A, R> fmt::Debug for Resolved<'_, A, R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Resolved({})", self.name)
    }
}
