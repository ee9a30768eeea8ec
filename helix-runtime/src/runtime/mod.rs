//! Modules that run together: what a program calls. Behind it are the one dispatch and the steps of a life.

mod builder;
mod dispatch;
mod lifecycle;
mod names;
mod slot;
mod state;
mod topics;
#[cfg(feature = "std")]
mod wait;

pub use builder::{BuildError, BuildFault, Builder};
pub use lifecycle::{ModuleHealth, StartError};
pub use state::SavedState;

pub(crate) use names::ANY as ANY_REQUEST;

use alloc::boxed::Box;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::fmt;

use crate::client::{self, Client};
use crate::codec::Codec;
use crate::context::{Host, ModuleId, Route};
use crate::error::{IpcResult, ModuleState};
use crate::event::{Publish, PublishResult};
use crate::handle::Handle;
use crate::info::{Dependency, ModuleInfo};
use crate::message::{Args, Buffer, Message};
use crate::request::{Request, Response};
use dispatch::Inner;
use slot::Access;

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
    /// For each of its dependencies, in their order, the module that meets it; none for an optional one that is missing.
    pub needs: Vec<(Dependency, Option<&'static str>)>,
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
        client::call_path::<A, R>(&*self.inner, None, request, args)
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

    /// The modules, in the order in which they start.
    pub fn modules(&self) -> Vec<ModuleStatus> {
        let status = |at: &usize| {
            let slot = &self.inner.slots[*at];
            let needs = self.inner.providers[*at].iter().map(|at| at.map(|at| self.inner.slots[at].name()));
            ModuleStatus {
                id: slot.id,
                info: slot.descriptor.info,
                state: slot.state(),
                lockless: slot.access(true) == Access::Free,
                needs: slot.descriptor.info.dependencies.iter().zip(needs).collect(),
            }
        };
        self.inner.order.iter().map(status).collect()
    }
}

impl fmt::Debug for Runtime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let states = self.inner.order.iter().map(|at| &self.inner.slots[*at]);
        f.debug_map().entries(states.map(|slot| (slot.name(), slot.state()))).finish()
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
        client::call::<A, R>(self.inner, None, self.route, &self.name, args)
    }
}

impl<A, R> fmt::Debug for Resolved<'_, A, R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Resolved({})", self.name)
    }
}
