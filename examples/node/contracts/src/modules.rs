//! How a module reaches others through the node, without their types.

use core::fmt;

use helix_runtime::prelude::*;

/// What the node passes on between modules, in bytes.
#[helix_service("node.modules")]
pub trait Modules {
    /// Publishes an event of bytes. Tells how many heard it.
    fn publish_event(&self, name: &str, payload: &[u8], ctx: &Context) -> Result<u32, Refused>;
    /// Calls another module. Parameters and reply are as its request has them, in postcard.
    fn call_module(&self, module: &str, request: &str, params: &[u8], ctx: &Context) -> Result<Vec<u8>, Refused>;
}

/// What the node did not pass on.
#[helix_message]
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refused {
    /// The event is not one that the node publishes for others.
    Event {
        /// Its name.
        name: String,
        /// Those that it does.
        allowed: String,
    },
    /// The request is not one that the node makes for others.
    Request {
        /// `module.request`.
        path: String,
        /// Those that it does.
        allowed: String,
    },
    /// It was passed on, and went wrong there.
    Failed {
        /// What was said.
        reason: String,
    },
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Event { name, allowed } => {
                write!(
                    f,
                    "the node does not publish `{name}` for modules: expected one of {allowed}; see `node.events`"
                )
            }
            Self::Request { path, allowed } => {
                write!(f, "the node does not call `{path}` for modules: expected one of {allowed}; see `node.requests`")
            }
            Self::Failed { reason } => f.write_str(reason),
        }
    }
}

impl core::error::Error for Refused {}
