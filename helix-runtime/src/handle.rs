//! What may be kept of a runtime: it can be sent to other threads, and does not keep the runtime alive.

use alloc::sync::Weak;
use core::fmt;

use crate::bus::{EventSubscription, SubscriptionId};
use crate::chain;
use crate::client::{self, Client};
use crate::context::Context;
use crate::error::{IpcError, IpcResult};
use crate::event::{Publish, PublishResult};
use crate::host::{Host, To};
use crate::message::{Args, Message};
use crate::request::{Request, Response};

/// A way to publish and to call from anywhere: another thread, a timer, a module's own field.
///
/// Everything it does fails with [`IpcError::Closed`] once the runtime has ended.
#[derive(Clone)]
pub struct Handle {
    host: Weak<dyn Host>,
}

impl Handle {
    pub(crate) fn new(host: Weak<dyn Host>) -> Self {
        Self { host }
    }

    /// Runs with the host and the call of this thread that is under way, if any.
    #[inline]
    pub(crate) fn with<T>(&self, run: impl FnOnce(&dyn Host, Option<&Context>) -> T) -> IpcResult<T> {
        let address = self.host.as_ptr().cast();
        // SAFETY: the innermost call of this thread is below us on this very stack.
        if let Some(top) = chain::top().map(|top| unsafe { top.as_ref() })
            && let Some(host) = top.host_at(address)
        {
            return Ok(run(host, Some(top)));
        }
        let host = self.host.upgrade().ok_or(IpcError::Closed)?;
        Ok(run(&*host, None))
    }

    /// Publishes an event; see [`Runtime::publish`](crate::Runtime::publish).
    pub fn publish(&self, event: &impl Publish) -> IpcResult<PublishResult> {
        self.with(|host, from| event.deliver(|delivery| host.publish(from, delivery)))
    }

    /// Listens to what is published; see [`Runtime::subscribe`](crate::Runtime::subscribe).
    pub fn subscribe(&self, subscription: EventSubscription) -> IpcResult<SubscriptionId> {
        self.with(|host, _| host.subscribe(None, subscription))?
    }

    /// Ends a subscription; see [`Runtime::unsubscribe`](crate::Runtime::unsubscribe).
    pub fn unsubscribe(&self, subscription: SubscriptionId) -> IpcResult<()> {
        self.with(|host, _| host.unsubscribe(subscription))?
    }

    /// Sends a request in bytes; see [`Runtime::request`](crate::Runtime::request).
    pub fn request(&self, target: &str, request: Request) -> IpcResult<Response> {
        self.with(|host, from| client::request(host, from, target, request))?
    }

    /// Calls with typed arguments; see [`Runtime::call`](crate::Runtime::call).
    pub fn call<A: Args, R: Message>(&self, request: &str, args: A::Of<'_>) -> IpcResult<R> {
        self.with(|host, from| client::call::<A, R>(host, from, &To::Path(request), args))?
    }

    /// A client of a service.
    pub fn service<C: Client>(&self) -> IpcResult<C> {
        self.with(|host, _| client::connect(host))?
    }
}

impl fmt::Debug for Handle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.host.strong_count() > 0 { "Handle" } else { "Handle(closed)" })
    }
}
