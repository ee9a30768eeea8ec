//! The world of a module that has no runtime around it.

use alloc::string::{String, ToString};

use super::ModuleContext;
use crate::bus::{EventSubscription, SubscriptionId};
use crate::codec::{Codec, TypedCall};
use crate::context::Context;
use crate::error::{IpcError, IpcResult};
use crate::event::{Delivery, PublishResult};
use crate::handle::Handle;
use crate::host::{Call, Direct, Host, Route, To};
use crate::place::{ModuleId, Place};

/// Runs `run` as a call of a module that is alone with its configuration.
pub(super) fn call<T>(name: &'static str, context: &ModuleContext, run: impl FnOnce(&Context) -> T) -> T {
    let (host, place) = (Alone { context }, Place::new(ModuleId(context.module_id), name));
    // SAFETY: `host` and `place` outlive the context, and no call leads to it.
    let cx = unsafe { Context::new(&place, &host, None) };
    run(&cx)
}

/// The host of a module that has no runtime around it: configuration and the log, and nobody else.
pub(crate) struct Alone<'a> {
    pub(crate) context: &'a ModuleContext,
}

impl Host for Alone<'_> {
    fn config(&self, _: &Place, key: &str) -> Option<&str> {
        self.context.config.get(key).map(String::as_str)
    }

    fn log(&self, place: &Place, level: log::Level, text: core::fmt::Arguments<'_>) {
        log::log!(target: place.name, level, "{text}");
    }

    fn publish(&self, _: Option<&Context>, _: &Delivery<'_>) -> PublishResult {
        PublishResult::default()
    }

    fn subscribe(&self, _: Option<&Place>, _: EventSubscription) -> IpcResult<SubscriptionId> {
        Err(IpcError::Closed)
    }

    fn unsubscribe(&self, subscription: SubscriptionId) -> IpcResult<()> {
        Err(IpcError::NotSubscribed { subscription })
    }

    fn resolve(&self, target: &str, _: &str) -> IpcResult<Route> {
        Err(IpcError::ModuleNotFound { name: target.to_string() })
    }

    fn agree(&self, _: Route, _: &Codec) -> IpcResult<()> {
        Err(IpcError::Closed)
    }

    fn call_directly(&self, _: Option<&Context>, _: &To<'_>, _: &mut TypedCall<'_>) -> Direct {
        Direct::Not
    }

    fn call(&self, _: Option<&Context>, _: Route, call: &mut Call<'_, '_>) -> IpcResult<()> {
        Err(IpcError::ModuleNotFound { name: call.request.to_string() })
    }

    fn handle(&self) -> Handle {
        Handle::new(alloc::sync::Weak::<Alone<'static>>::new())
    }
}
