//! The first version of the module interface, and each version seen through the other.
//!
//! Metadata are owned strings, configuration is a map, messages are bytes; there are no events, and a module has no way
//! to ask another. [`ModuleAdapter`] shows a newer module to a program of the first version, [`Upgraded`] lets a module
//! of the first version run in a [`Runtime`](crate::Runtime). New modules use the attributes.

mod adapter;
mod alone;
#[cfg(feature = "std")]
pub(crate) use alone::Alone;
mod metadata;
mod read;
mod upgraded;

pub use adapter::ModuleAdapter;
pub use metadata::{ModuleDependency, ModuleMetadata};
pub use upgraded::Upgraded;

use alloc::collections::BTreeMap;
use alloc::string::String;
use alloc::vec::Vec;

use crate::error::ModuleResult;
use crate::request::Response;

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

/// What a module of the first version is given: its number and its configuration.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ModuleContext {
    /// The module's number.
    pub module_id: u32,
    /// Its configuration.
    pub config: BTreeMap<String, String>,
}
