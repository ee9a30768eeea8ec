//! What a process may be forbidden to do.

use alloc::format;
use alloc::string::String;
use core::fmt;

/// What a process wants that may be forbidden.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Act<'a> {
    /// To call a request of a module or a service.
    Call {
        /// The module or the service.
        target: &'a str,
        /// The request.
        request: &'a str,
    },
    /// To publish an event.
    Publish {
        /// Its name.
        event: &'a str,
    },
    /// To hear events of that topic or name; `*` for all.
    Subscribe {
        /// The topic or the name.
        topic: &'a str,
    },
}

impl Act<'_> {
    /// Whether it is what nobody but the host does, whatever was granted: to publish what it tells of itself.
    pub fn is_hosts(&self) -> bool {
        matches!(self, Self::Publish { event } if super::answers::looks_like_hosts(event))
    }

    /// The permission that it takes: `call/module.request`, `publish/event`, `subscribe/topic`, or `subscribe` for all of them.
    pub fn permission(&self) -> String {
        match self {
            Self::Call { target, request } => format!("call/{target}.{request}"),
            Self::Publish { event } => format!("publish/{event}"),
            Self::Subscribe { topic: "*" } => "subscribe".into(),
            Self::Subscribe { topic } => format!("subscribe/{topic}"),
        }
    }
}

impl fmt::Display for Act<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Call { target, request } => write!(f, "call `{target}.{request}`"),
            Self::Publish { event } => write!(f, "publish `{event}`"),
            Self::Subscribe { topic } => write!(f, "hear `{topic}`"),
        }
    }
}
