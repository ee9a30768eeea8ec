//! The first version of the module interface, and a newer module seen through it.
//!
//! Metadata are owned strings, configuration is a map, messages are bytes. New modules use the attributes.

use alloc::collections::BTreeMap;
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use crate::codec::Codec;
use crate::context::{Call, Context, Host, ModuleId, Route};
use crate::error::{IpcError, IpcResult, ModuleResult};
use crate::event::{Delivery, PublishResult};
use crate::handle::Handle;
use crate::handwritten::ModuleTrait;
use crate::info::{ModuleFlags, ModuleInfo};
use crate::request::{Request, Response};

/// A module of the first version.
pub trait Module: Send + Sync {
    /// Its metadata.
    fn metadata(&self) -> &ModuleMetadata;
    /// Prepares the module.
    fn init(&mut self, context: &ModuleContext) -> ModuleResult<()>;
    /// The module is about to run.
    fn start(&mut self) -> ModuleResult<()>;
    /// The module does not run any more.
    fn stop(&mut self) -> ModuleResult<()>;
    /// Someone sends a message: its kind and its bytes.
    fn handle_message(&mut self, kind: &str, payload: &[u8]) -> ModuleResult<Response>;
    /// Whether the module is well.
    fn is_healthy(&self) -> bool;
    /// What a later instance takes back, if anything.
    fn save_state(&self) -> Option<Vec<u8>>;
    /// Takes back what an earlier instance has saved.
    fn restore_state(&mut self, state: &[u8]) -> ModuleResult<()>;
}

/// A module's metadata, on the heap.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ModuleMetadata {
    /// Its name.
    pub name: String,
    /// Its version, as text.
    pub version: String,
    /// What it does.
    pub description: String,
    /// Who wrote it.
    pub author: String,
    /// Its licence.
    pub license: String,
    /// How it is treated.
    pub flags: ModuleFlags,
    /// The names of what it needs.
    pub dependencies: Vec<String>,
    /// The services it provides.
    pub provides: Vec<String>,
}

impl From<&ModuleInfo> for ModuleMetadata {
    fn from(info: &ModuleInfo) -> Self {
        Self {
            name: info.name.to_string(),
            version: info.version.to_string(),
            description: info.description.to_string(),
            author: info.author.to_string(),
            license: info.license.to_string(),
            flags: info.flags,
            dependencies: info.dependencies.iter().map(|dependency| dependency.name.to_string()).collect(),
            provides: info.provides.iter().map(|service| service.to_string()).collect(),
        }
    }
}

/// What a module of the first version is given: its number and its configuration.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ModuleContext {
    /// The module's number.
    pub module_id: u32,
    /// Its configuration.
    pub config: BTreeMap<String, String>,
}

/// A module of the second version as one of the first.
///
/// Metadata, configuration, messages and state are carried over. There are no other modules in that world, so a request
/// to one is [`IpcError::ModuleNotFound`], and an event reaches nobody.
///
/// ```
/// use helix_runtime::{ModuleInfo, ModuleTrait, v1};
/// struct Clock;
/// impl ModuleTrait for Clock {
///     fn info(&self) -> ModuleInfo { ModuleInfo::new("clock").version(1, 2, 0) }
/// }
/// let adapted: Box<dyn v1::Module> = Box::new(v1::ModuleAdapter::new(Clock));
/// assert_eq!((adapted.metadata().name.as_str(), adapted.metadata().version.as_str()), ("clock", "1.2.0"));
/// ```
#[derive(Debug)]
pub struct ModuleAdapter<M> {
    module: M,
    metadata: ModuleMetadata,
}

impl<M: ModuleTrait> ModuleAdapter<M> {
    /// Adapts a module.
    pub fn new(module: M) -> Self {
        let metadata = ModuleMetadata::from(&module.info());
        Self { module, metadata }
    }
}

impl<M: ModuleTrait> Module for ModuleAdapter<M> {
    fn metadata(&self) -> &ModuleMetadata {
        &self.metadata
    }

    fn init(&mut self, context: &ModuleContext) -> ModuleResult<()> {
        let host = Alone { name: &self.metadata.name, context };
        // SAFETY: `host` outlives the context, and no call leads to it.
        let cx = unsafe { Context::new(ModuleId(context.module_id), &host, None) };
        self.module.init(&cx)
    }

    fn start(&mut self) -> ModuleResult<()> {
        self.module.start()
    }

    fn stop(&mut self) -> ModuleResult<()> {
        self.module.stop()
    }

    fn handle_message(&mut self, kind: &str, payload: &[u8]) -> ModuleResult<Response> {
        self.module.handle_request(&Request::new(kind).with_payload(payload))
    }

    fn is_healthy(&self) -> bool {
        self.module.is_healthy()
    }

    fn save_state(&self) -> Option<Vec<u8>> {
        self.module.save_state()
    }

    fn restore_state(&mut self, state: &[u8]) -> ModuleResult<()> {
        self.module.restore_state(state)
    }
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
