//! A module of the second version as one of the first.

use alloc::vec::Vec;

use super::{Module, ModuleContext, ModuleMetadata, alone};
use crate::error::ModuleResult;
use crate::handwritten::ModuleTrait;
use crate::request::{Request, Response};

/// A module of the second version as one of the first.
///
/// Metadata, configuration, messages, health and state are carried over. There are no other modules in that world, so a
/// request to one is [`IpcError::ModuleNotFound`](crate::IpcError::ModuleNotFound), and an event reaches nobody.
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
    name: &'static str,
    metadata: ModuleMetadata,
}

impl<M: ModuleTrait> ModuleAdapter<M> {
    /// Adapts a module.
    pub fn new(module: M) -> Self {
        let info = module.info();
        Self { module, name: info.name, metadata: ModuleMetadata::from(&info) }
    }
}

impl<M: ModuleTrait> Module for ModuleAdapter<M> {
    fn metadata(&self) -> &ModuleMetadata {
        &self.metadata
    }

    fn init(&mut self, context: &ModuleContext) -> ModuleResult<()> {
        alone::call(self.name, context, |cx| self.module.init(cx))
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
