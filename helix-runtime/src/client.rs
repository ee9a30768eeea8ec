//! How calls are made: by name, along a resolved route, or through a service's client.

use alloc::boxed::Box;
use alloc::string::ToString;

use crate::codec::{Codec, with_values};
use crate::context::Context;
use crate::error::{CallError, IpcError, IpcResult};
use crate::handle::Handle;
use crate::host::{Call, Carries, Host, Route, To};
use crate::message::{Args, Message, Sink};
use crate::request::{Request, Response};

/// A client of a service; `#[helix_service]` makes one beside each contract.
///
/// It is resolved once and may be kept: `let s: SchedulerClient = ctx.service()?;`.
pub trait Client: Sized {
    /// The service's name.
    const SERVICE: &'static str;
    /// The contract's requests, in the order of their declaration.
    #[doc(hidden)]
    const REQUESTS: &'static [(&'static str, &'static Codec)];
    /// Takes the resolved link.
    #[doc(hidden)]
    fn new(link: Link) -> Self;
}

/// A service's requests, resolved in the order of its contract.
#[doc(hidden)]
#[derive(Debug, Clone)]
pub struct Link {
    handle: Handle,
    names: &'static [(&'static str, &'static Codec)],
    routes: Box<[Route]>,
}

impl Link {
    /// Calls the contract's request of that index.
    pub fn call<A: Args, R: Message>(&self, index: usize, args: A::Of<'_>) -> IpcResult<R> {
        let request = self.names[index].0;
        self.handle.with(|host, from| call::<A, R>(host, from, &To::Route(self.routes[index], request), args))?
    }

    /// Calls a request that returns a `Result`.
    pub fn call_fallible<A: Args, T: Message, E: Message>(
        &self,
        index: usize,
        args: A::Of<'_>,
    ) -> Result<T, CallError<E>> {
        self.call::<A, Result<T, E>>(index, args)?.map_err(CallError::Handler)
    }

    /// Calls a request that returns plainly.
    pub fn call_plain<A: Args, T: Message>(&self, index: usize, args: A::Of<'_>) -> Result<T, CallError> {
        Ok(self.call::<A, T>(index, args)?)
    }
}

pub(crate) fn connect<C: Client>(host: &dyn Host) -> IpcResult<C> {
    let routes = C::REQUESTS
        .iter()
        .map(|(request, codec)| {
            let route = host.resolve(C::SERVICE, request)?;
            host.agree(route, codec)?;
            Ok(route)
        })
        .collect::<IpcResult<Box<[Route]>>>()?;
    Ok(C::new(Link { handle: host.handle(), names: C::REQUESTS, routes }))
}

/// Splits `module.request` at the last dot.
pub(crate) fn split_path(path: &str) -> IpcResult<(&str, &str)> {
    path.rsplit_once('.').ok_or_else(|| IpcError::ModuleNotFound { name: path.to_string() })
}

#[inline]
pub(crate) fn call<A: Args, R: Message>(
    host: &dyn Host,
    from: Option<&Context>,
    to: &To<'_>,
    args: A::Of<'_>,
) -> IpcResult<R> {
    with_values::<A, R>(
        args,
        |call| host.call_directly(from, to, call),
        |carries| call_indirectly(host, from, to, carries),
    )
}

/// Makes a call that could not be made directly, or tells what went wrong in one that was.
#[cold]
fn call_indirectly(host: &dyn Host, from: Option<&Context>, to: &To<'_>, carries: &mut Carries<'_>) -> IpcResult<()> {
    if let Carries::Typed(call) = carries
        && let Some(error) = call.error.take()
    {
        return Err(error);
    }
    let (route, request) = match *to {
        To::Route(route, request) => (route, request),
        To::Path(path) => {
            let (target, request) = split_path(path)?;
            (host.resolve(target, request)?, request)
        }
    };
    host.call(from, route, &mut Call { request, timeout: None, carries })
}

pub(crate) fn call_bytes(
    host: &dyn Host,
    from: Option<&Context>,
    path: &str,
    args: &[u8],
    reply: &mut dyn Sink,
) -> IpcResult<()> {
    let (target, request) = split_path(path)?;
    let route = host.resolve(target, request)?;
    host.call(from, route, &mut Call { request, timeout: None, carries: &mut Carries::Bytes { args, reply } })
}

pub(crate) fn request(
    host: &dyn Host,
    from: Option<&Context>,
    target: &str,
    mut request: Request,
) -> IpcResult<Response> {
    request.forget_source();
    request_as_it_is(host, from, target, request)
}

/// A request whose source the runtime has filled in already.
pub(crate) fn request_vouched(host: &dyn Host, target: &str, request: Request) -> IpcResult<Response> {
    request_as_it_is(host, None, target, request)
}

fn request_as_it_is(host: &dyn Host, from: Option<&Context>, target: &str, request: Request) -> IpcResult<Response> {
    let route = host.resolve(target, &request.request_type)?;
    let (name, timeout) = (request.request_type.clone(), request.timeout);
    let mut carries = Carries::Raw { request, response: None };
    host.call(from, route, &mut Call { request: &name, timeout, carries: &mut carries })?;
    match carries {
        Carries::Raw { response: Some(response), .. } => Ok(response),
        _ => unreachable!("a host that reports success has responded"),
    }
}
