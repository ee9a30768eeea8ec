//! Requests in bytes, addressed by number, name or service: sent at once, to all, or through a mailbox.

use alloc::borrow::Cow;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

use crate::closure::RequestHandler;
use crate::error::IpcResult;
use crate::request::{Request, Response};
use crate::runtime::{MessageId, ReplyHandler, Runtime};

/// Whom a request is for.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum ModuleAddress<'a> {
    /// The closure that registered under that number, or the module of that [`ModuleId`](crate::ModuleId).
    Id(u64),
    /// The module of that name, else the provider of a service of that name.
    Name(Cow<'a, str>),
    /// The provider of a service.
    Service(Cow<'a, str>),
}

impl fmt::Display for ModuleAddress<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Id(id) => write!(f, "#{id}"),
            Self::Name(name) => f.write_str(name),
            Self::Service(name) => write!(f, "service {name}"),
        }
    }
}

impl<'a> From<&'a str> for ModuleAddress<'a> {
    fn from(name: &'a str) -> Self {
        Self::Name(name.into())
    }
}

impl From<String> for ModuleAddress<'_> {
    fn from(name: String) -> Self {
        Self::Name(name.into())
    }
}

impl From<u64> for ModuleAddress<'_> {
    fn from(id: u64) -> Self {
        Self::Id(id)
    }
}

impl From<crate::ModuleId> for ModuleAddress<'_> {
    fn from(id: crate::ModuleId) -> Self {
        Self::Id(id.as_u64())
    }
}

/// A runtime's requests in bytes: who answers, and what waits to be asked.
///
/// ```
/// use helix_runtime::{Request, Response, Runtime};
///
/// let runtime = Runtime::builder().build()?;
/// let router = runtime.router();
/// router.register(1, "echo", Box::new(|request: &Request| Response::ok(request.payload.clone())))?;
/// assert_eq!(router.send_to("echo", Request::new("say").with_payload(b"hi"))?, Response::ok(b"hi"));
///
/// // Queued, it is asked by the next poll, and the answer goes to the closure.
/// router.queue_with(1, Request::new("say"), Box::new(|answer| assert_eq!(answer, Ok(Response::ok(b"")))))?;
/// assert_eq!(runtime.poll(core::time::Duration::ZERO).messages, 1);
/// router.unregister(1)?;
/// assert!(router.send_to("echo", Request::new("say")).is_err());
/// # Ok::<(), Box<dyn core::error::Error>>(())
/// ```
#[derive(Debug, Clone, Copy)]
pub struct MessageRouter<'a> {
    runtime: &'a Runtime,
}

impl<'a> MessageRouter<'a> {
    pub(crate) fn new(runtime: &'a Runtime) -> Self {
        Self { runtime }
    }

    /// Lets a closure answer every request to `name`, and to the number of the caller's choice. A module may choose its
    /// own number.
    ///
    /// # Errors
    /// [`IpcError::BadName`](crate::IpcError::BadName), or [`IpcError::Taken`](crate::IpcError::Taken) when another
    /// closure has that number, or someone that name.
    pub fn register(&self, id: u64, name: &'static str, handler: RequestHandler) -> IpcResult<()> {
        self.runtime.register(id, name, handler)
    }

    /// Takes the closure of that number away, and tells those whose messages wait for it that it is
    /// [`Closed`](crate::IpcError::Closed).
    ///
    /// # Errors
    /// [`IpcError::ModuleNotFound`](crate::IpcError::ModuleNotFound).
    pub fn unregister(&self, id: u64) -> IpcResult<()> {
        self.runtime.unregister(id)
    }

    /// Sends a request and waits for the response.
    ///
    /// # Errors
    /// As [`Runtime::request`], and [`IpcError::Timeout`](crate::IpcError::Timeout) when the request has a timeout and
    /// the module does not become free in that time.
    pub fn send(&self, to: ModuleAddress<'_>, request: Request) -> IpcResult<Response> {
        self.runtime.send(to, request)
    }

    /// Sends a request and waits for the response; see [`MessageRouter::send`].
    pub fn send_to<'t>(&self, to: impl Into<ModuleAddress<'t>>, request: Request) -> IpcResult<Response> {
        self.send(to.into(), request)
    }

    /// Sends a request to everyone who runs and takes it, the sender excepted, and collects what they answer, in the
    /// order of their registration.
    pub fn broadcast(&self, request: &Request) -> Vec<(&'static str, IpcResult<Response>)> {
        self.runtime.broadcast(request)
    }

    /// Puts a request into the mailbox of whom it is for. The next [`Runtime::poll`] asks; nobody wants the answer.
    ///
    /// # Errors
    /// As [`MessageRouter::queue_with`].
    pub fn queue<'t>(&self, to: impl Into<ModuleAddress<'t>>, request: Request) -> IpcResult<MessageId> {
        self.runtime.queue(to.into(), request, None)
    }

    /// Puts a request into a mailbox. `reply` is called once: with the answer; with
    /// [`Timeout`](crate::IpcError::Timeout) when the request has a timeout and was not asked in that time; or with
    /// [`Closed`](crate::IpcError::Closed) when its target goes first.
    ///
    /// # Errors
    /// [`IpcError::ChannelFull`](crate::IpcError::ChannelFull), and what can be known already: whom it is for is not
    /// there, or may not be asked. `reply` is not called then.
    pub fn queue_with<'t>(
        &self,
        to: impl Into<ModuleAddress<'t>>,
        request: Request,
        reply: ReplyHandler,
    ) -> IpcResult<MessageId> {
        self.runtime.queue(to.into(), request, Some(reply))
    }

    /// Asks what waits in one mailbox now, the highest priority first. How many messages that were.
    ///
    /// # Errors
    /// [`IpcError::ModuleNotFound`](crate::IpcError::ModuleNotFound).
    pub fn process_mailbox<'t>(&self, of: impl Into<ModuleAddress<'t>>) -> IpcResult<u32> {
        self.runtime.process_mailbox(of.into())
    }

    /// What waits in each mailbox.
    pub fn stats(&self) -> Vec<MailboxStats> {
        self.runtime.mailbox_stats()
    }
}

/// The state of one mailbox.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MailboxStats {
    /// Whose it is.
    pub name: &'static str,
    /// How many messages wait.
    pub waiting: usize,
    /// How many it holds.
    pub capacity: usize,
    /// How many it took since it was made.
    pub queued: u64,
    /// How many it refused because it was full.
    pub refused: u64,
    /// How many were too late.
    pub expired: u64,
    /// How many were never asked, because their target went.
    pub dropped: u64,
}
