//! A request in bytes, and its response: what crosses where types do not.

use alloc::string::String;
use alloc::vec::Vec;
use core::time::Duration;

/// A named call to one module, its argument in bytes.
///
/// ```
/// use helix_runtime::Request;
/// let request = Request::new("get_status").with_payload(vec![1, 2, 3]);
/// assert_eq!(request.request_type, "get_status");
/// assert_eq!(request.source(), "");
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    source: String,
    /// Whether the runtime has filled in the source before the request was queued.
    vouched: bool,
    /// Which request of the module.
    pub request_type: String,
    /// The argument: postcard for a typed request, anything for a raw one.
    pub payload: Vec<u8>,
    /// Which of the messages in a mailbox come first.
    pub priority: MessagePriority,
    /// How long the sender waits: for the module to be free, or in its mailbox. For ever if none.
    pub timeout: Option<Duration>,
}

/// The order among the messages in a mailbox: higher first, then first come first served.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum MessagePriority {
    /// After all others.
    Low,
    /// Unless said otherwise.
    #[default]
    Normal,
    /// Before most.
    High,
    /// Before all others.
    Critical,
}

impl Request {
    /// A request without an argument.
    pub fn new(request_type: impl Into<String>) -> Self {
        Self {
            source: String::new(),
            vouched: false,
            request_type: request_type.into(),
            payload: Vec::new(),
            priority: MessagePriority::Normal,
            timeout: None,
        }
    }

    /// Sets the argument.
    pub fn with_payload(mut self, payload: impl Into<Vec<u8>>) -> Self {
        self.payload = payload.into();
        self
    }

    /// Sets which of the messages in a mailbox come first.
    pub fn with_priority(mut self, priority: MessagePriority) -> Self {
        self.priority = priority;
        self
    }

    /// Sets how long the sender waits: for the module to be free, or in its mailbox. It waits no longer for what is asked on
    /// its behalf either, and the handler sees what is left ([`Context::time_left`](crate::Context::time_left)). With no time at all
    /// a module is asked only if it is free at once, and asks nobody else.
    pub fn with_timeout(mut self, timeout: Duration) -> Self {
        self.timeout = Some(timeout);
        self
    }

    /// The name of the module that asks, filled in by the runtime so that no one can forge it; empty from outside.
    pub fn source(&self) -> &str {
        &self.source
    }

    /// Fills in the source, unless it was when the request was queued.
    pub(crate) fn set_source(&mut self, source: &str) {
        if !self.vouched {
            self.source = source.into();
        }
    }

    /// Fills in the source of a request that is to be sent later.
    pub(crate) fn vouch_for(&mut self, source: &str) {
        self.source = source.into();
        self.vouched = true;
    }

    /// What a module passes on is sent by itself.
    pub(crate) fn forget_source(&mut self) {
        self.vouched = false;
    }
}

/// What a module answers to a [`Request`].
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Response {
    /// It did what was asked.
    Success(Vec<u8>),
    /// It tried and failed.
    Error(String),
    /// It refuses.
    Rejected(String),
    /// It does not know the request.
    NotSupported,
}

impl Response {
    /// Success, with bytes.
    pub fn ok(bytes: impl Into<Vec<u8>>) -> Self {
        Self::Success(bytes.into())
    }

    /// Success, with nothing to say.
    pub fn ok_empty() -> Self {
        Self::Success(Vec::new())
    }

    /// Failure, with the reason.
    pub fn err(message: impl Into<String>) -> Self {
        Self::Error(message.into())
    }

    /// Refusal, with the reason.
    pub fn rejected(message: impl Into<String>) -> Self {
        Self::Rejected(message.into())
    }

    /// The request is not known.
    pub fn not_supported() -> Self {
        Self::NotSupported
    }
}
