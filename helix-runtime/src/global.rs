//! One runtime for the whole program, for code that has no better way to one: the free functions of the IPC document.
//!
//! Nobody polls it but who is told to: `global_runtime().poll(..)` answers queued messages and starts again what failed.
//!
//! A library should take a [`Handle`](crate::Handle) or a [`Context`](crate::Context) instead. Only the static placement
//! has a global runtime: a library that is loaded, or a process, has its own copy of every static.
//!
//! ```
//! use helix_runtime::global::{global_event_bus, publish_event, subscribe};
//! use helix_runtime::{EventResponse, EventSubscription, EventTopic, Shutdown};
//!
//! let handler = Box::new(|_: &_| EventResponse::Handled);
//! let id = subscribe(EventSubscription::new("last-words", vec![EventTopic::Shutdown], handler))?;
//! assert_eq!(publish_event(Shutdown).handled, 1);
//! global_event_bus().unsubscribe(id)?;
//! # Ok::<(), helix_runtime::IpcError>(())
//! ```

use crate::bus::{EventBus, EventSubscription, SubscriptionId};
use crate::error::IpcResult;
use crate::event::{Publish, PublishResult};
use crate::request::{Request, Response};
use crate::router::{MessageRouter, ModuleAddress};
use crate::runtime::Runtime;

/// The program's runtime: made and started, without modules, when it is first asked for. Modules are
/// [added](Runtime::add_descriptor).
pub fn global_runtime() -> &'static Runtime {
    fn start() -> Runtime {
        // Nothing is configured and nothing is there that could fail.
        let runtime = Runtime::builder().build().expect("an empty runtime has no faults");
        runtime.start().expect("an empty runtime starts");
        runtime
    }
    #[cfg(feature = "std")]
    {
        static RUNTIME: std::sync::OnceLock<Runtime> = std::sync::OnceLock::new();
        RUNTIME.get_or_init(start)
    }
    #[cfg(not(feature = "std"))]
    {
        static RUNTIME: spin::Once<Runtime> = spin::Once::new();
        RUNTIME.call_once(start)
    }
}

/// The events of the [program's runtime](global_runtime).
pub fn global_event_bus() -> EventBus<'static> {
    global_runtime().bus()
}

/// The requests of the [program's runtime](global_runtime).
pub fn global_router() -> MessageRouter<'static> {
    global_runtime().router()
}

/// Adds a listener; see [`Runtime::subscribe`].
pub fn subscribe(subscription: EventSubscription) -> IpcResult<SubscriptionId> {
    global_runtime().subscribe(subscription)
}

/// Publishes an event; see [`Runtime::publish`].
pub fn publish_event(event: impl Publish) -> PublishResult {
    global_runtime().publish(&event)
}

/// Sends a request to a module, a service or a closure; see [`MessageRouter::send_to`].
pub fn send_to<'t>(to: impl Into<ModuleAddress<'t>>, request: Request) -> IpcResult<Response> {
    global_router().send_to(to, request)
}

/// Sends a request to an address; see [`MessageRouter::send`].
pub fn send_request(to: ModuleAddress<'_>, request: Request) -> IpcResult<Response> {
    global_router().send(to, request)
}
