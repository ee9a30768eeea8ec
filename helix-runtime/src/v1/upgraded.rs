//! A module of the first version as one of the second.

use alloc::boxed::Box;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::fmt;

use super::{Module, ModuleContext, read};
use crate::context::Context;
use crate::error::ModuleResult;
use crate::handwritten::ModuleTrait;
use crate::info::ModuleInfo;
use crate::request::{Request, Response};

/// A module of the first version, for a [`Runtime`](crate::Runtime).
///
/// Metadata, messages, health and state are carried over; a request's type is the message's kind. The first version has
/// no events, so the module hears none, and it does not learn who asks. Of its configuration it is given the keys that
/// [`with_config_keys`](Self::with_config_keys) names.
///
/// ```
/// use helix_runtime::v1::{Module, ModuleContext, ModuleMetadata, Upgraded};
/// use helix_runtime::{ModuleResult, Request, Response, Runtime};
///
/// struct Echo(ModuleMetadata);
/// impl Module for Echo {
///     fn metadata(&self) -> &ModuleMetadata { &self.0 }
///     fn handle_message(&mut self, _kind: &str, payload: &[u8]) -> ModuleResult<Response> { Ok(Response::ok(payload)) }
///     // init, start, stop, is_healthy, save_state, restore_state
/// #   fn init(&mut self, _: &ModuleContext) -> ModuleResult<()> { Ok(()) }
/// #   fn start(&mut self) -> ModuleResult<()> { Ok(()) }
/// #   fn stop(&mut self) -> ModuleResult<()> { Ok(()) }
/// #   fn is_healthy(&self) -> bool { true }
/// #   fn save_state(&self) -> Option<Vec<u8>> { None }
/// #   fn restore_state(&mut self, _: &[u8]) -> ModuleResult<()> { Ok(()) }
/// }
///
/// let echo = Upgraded::new(Box::new(Echo(ModuleMetadata::new("echo", "1.0.0"))))?;
/// let runtime = Runtime::builder().add(Box::new(echo)).build()?;
/// runtime.start()?;
/// assert_eq!(runtime.request("echo", Request::new("say").with_payload(b"hi"))?, Response::ok(b"hi"));
/// # Ok::<(), Box<dyn core::error::Error>>(())
/// ```
pub struct Upgraded {
    module: Box<dyn Module>,
    info: ModuleInfo,
    config_keys: Vec<String>,
}

impl Upgraded {
    /// Takes a module on, with the metadata it has now.
    ///
    /// The metadata are copied once and kept until the program ends; another module with equal metadata shares the copy.
    /// Of the version, build metadata (`+..`) are dropped.
    ///
    /// # Errors
    /// Everything in the metadata that the second version refuses: a bad name, a version or a requirement that is none.
    pub fn new(module: Box<dyn Module>) -> ModuleResult<Self> {
        let info = read::info(module.metadata())?;
        Ok(Self { module, info, config_keys: Vec::new() })
    }

    /// Names the keys of its configuration that the module is given.
    ///
    /// A module of the first version takes its configuration as a map and lists no keys, and a [`Context`] is only ever
    /// asked for one key. A key that is not named here does not reach the module; one that is named and not set is not
    /// in its map.
    #[must_use]
    pub fn with_config_keys<K: AsRef<str>>(mut self, keys: impl IntoIterator<Item = K>) -> Self {
        self.config_keys.extend(keys.into_iter().map(|key| key.as_ref().to_string()));
        self
    }
}

impl fmt::Debug for Upgraded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Upgraded").field("info", &self.info).field("config_keys", &self.config_keys).finish()
    }
}

impl ModuleTrait for Upgraded {
    fn info(&self) -> ModuleInfo {
        self.info
    }

    fn init(&mut self, ctx: &Context) -> ModuleResult<()> {
        let value = |key: &String| Some((key.clone(), ctx.config(key)?.to_string()));
        let config = self.config_keys.iter().filter_map(value).collect();
        self.module.init(&ModuleContext { module_id: ctx.id.0, config })
    }

    fn start(&mut self) -> ModuleResult<()> {
        self.module.start()
    }

    fn stop(&mut self) -> ModuleResult<()> {
        self.module.stop()
    }

    fn handle_request(&mut self, request: &Request) -> ModuleResult<Response> {
        self.module.handle_message(&request.request_type, &request.payload)
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
