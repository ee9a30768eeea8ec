//! The world of a module that has no runtime around it.

use alloc::format;
use alloc::string::{String, ToString};

use super::ModuleContext;
use crate::codec::Codec;
use crate::context::{Call, Context, Host, ModuleId, Route};
use crate::error::{IpcError, IpcResult};
use crate::event::{Delivery, PublishResult};
use crate::handle::Handle;

/// Runs `run` as a call of a module that is alone with its configuration.
pub(super) fn call<T>(name: &str, context: &ModuleContext, run: impl FnOnce(&Context) -> T) -> T {
    let host = Alone { name, context };
    // SAFETY: `host` outlives the context, and no call leads to it.
    let cx = unsafe { Context::new(ModuleId(context.module_id), &host, None) };
    run(&cx)
}

/// The host of a module that has no runtime around it: configuration and the log, and nobody else.
struct Alone<'a> {
    name: &'a str,
    context: &'a ModuleContext,
}

impl Host for Alone<'_> {
    fn name(&self, _: ModuleId) -> &str {
        self.name
    }

    fn config(&self, _: ModuleId, key: &str) -> Option<&str> {
        self.context.config.get(key).map(String::as_str)
    }

    fn log(&self, _: ModuleId, level: log::Level, text: core::fmt::Arguments<'_>) {
        log::log!(target: "helix", level, "{}: {text}", self.name);
    }

    fn publish(&self, _: Option<&Context>, _: &Delivery<'_>) -> PublishResult {
        PublishResult::default()
    }

    fn resolve(&self, target: &str, _: &str) -> IpcResult<Route> {
        Err(IpcError::ModuleNotFound { name: target.to_string() })
    }

    fn agree(&self, _: Route, _: &'static Codec) -> IpcResult<()> {
        Err(IpcError::Closed)
    }

    fn call(&self, _: Option<&Context>, _: Route, call: &mut Call<'_, '_>) -> IpcResult<()> {
        Err(IpcError::ModuleNotFound { name: format!("{}.{}", self.name, call.request) })
    }

    fn handle(&self) -> Handle {
        Handle::new(alloc::sync::Weak::<Alone<'static>>::new())
    }
}
