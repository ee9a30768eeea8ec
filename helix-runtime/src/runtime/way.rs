//! The ways into an instance, and what one does inside: the only callers of its handlers.

use alloc::vec::Vec;
use core::ptr::NonNull;

use crate::chain::{Light, Mark};
use crate::context::Context;
use crate::descriptor::{Entry, RequestFn, Status};
use crate::error::ModuleError;
use crate::host::Carries;
use crate::request::{Request, Response};
use crate::runtime::instance::Instance;
use crate::runtime::word::{Access, Refused};

/// One way into an instance: for which handler, and how that shares the module.
#[derive(Clone, Copy)]
pub(crate) struct Way {
    /// The instance, and in the low bits of its address which of its entries; see [`Instance::HANDLERS`].
    tagged: NonNull<Instance>,
    pub(crate) access: Access,
}

// SAFETY: an instance may be used by any thread; its address is followed as long as `Way::instance` says.
unsafe impl Send for Way {}
// SAFETY: as above.
unsafe impl Sync for Way {}

impl Way {
    pub(crate) fn to(instance: &Instance, handler: Option<&'static Entry>, access: Access) -> Self {
        let is_it = |entry: &&'static Entry| handler.is_some_and(|handler| core::ptr::eq(*entry, handler));
        let at = instance.entries.iter().position(is_it).unwrap_or(usize::MAX);
        let tagged = NonNull::from(instance).map_addr(|address| address | at.min(Instance::HANDLERS - 1));
        Self { tagged, access }
    }

    /// The instance, for as long as the table may be read that this stands in.
    #[inline(always)]
    pub(crate) fn instance<'a>(self) -> &'a Instance {
        let instance = self.tagged.as_ptr().map_addr(|address| address & !(Instance::HANDLERS - 1));
        // SAFETY: a way stands in a table that a call under way keeps, and with it what it names (`registry.rs`), or beside
        // a reference to its instance. The callers let it live no longer.
        unsafe { &*instance }
    }

    #[inline(always)]
    pub(crate) fn leads_to(self, instance: &Instance) -> bool {
        core::ptr::eq(self.instance(), instance)
    }

    /// What a call that goes this way leaves as its mark.
    #[inline(always)]
    fn handler(self) -> usize {
        self.tagged.addr().get()
    }

    /// Enters if the module runs, or says why not. `mark` is that of the call, and is the way's until the call has left.
    pub(crate) fn enter<'a>(&'a self, mark: Mark<'a>, light: Light, barge: bool) -> Result<Entered<'a>, Refused> {
        mark.set(self.handler(), light);
        match self.instance().word.enter(self.access, barge) {
            Ok(()) => Ok(Entered { way: self, mark }),
            Err(refused) => {
                mark.clear();
                Err(refused)
            }
        }
    }

    /// The same where `access` is known in the code, without a guard.
    #[inline(always)]
    pub(crate) fn enter_as<'a>(self, access: Access, mark: Mark<'_>, light: Light) -> Result<&'a Instance, Refused> {
        let instance = self.instance();
        mark.set(self.handler(), light);
        instance.word.enter(access, false).inspect_err(|_| mark.clear()).map(|()| instance)
    }
}

/// Someone is inside the module. Two words, so that it passes in registers.
pub(crate) struct Entered<'a> {
    way: &'a Way,
    mark: Mark<'a>,
}

impl Drop for Entered<'_> {
    #[inline(always)]
    fn drop(&mut self) {
        self.way.instance().word.leave(self.way.access);
        self.mark.clear();
    }
}

impl<'a> Entered<'a> {
    /// For whoever has entered [without a guard](Way::enter_as).
    #[inline(always)]
    pub(crate) fn new(way: &'a Way, mark: Mark<'a>) -> Self {
        Self { way, mark }
    }

    /// The same as to drop it, where its way's access and instance are known in the code.
    #[inline(always)]
    pub(crate) fn leave_as(self, access: Access, instance: &Instance) {
        instance.word.leave(access);
        self.mark.clear();
        core::mem::forget(self);
    }

    #[inline(always)]
    pub(crate) fn instance(&self) -> &'a Instance {
        self.way.instance()
    }

    /// Calls a request handler of this module with what the call carries.
    ///
    /// # Safety
    /// `handler` is of this instance's descriptor, and the access is the one of its entry.
    #[inline]
    pub(crate) unsafe fn request(
        &self,
        handler: &RequestFn,
        name: &str,
        carries: &mut Carries<'_>,
        cx: &Context,
    ) -> Status {
        let module = self.way.instance().data();
        match (handler, carries) {
            (RequestFn::Typed(handler, codec), Carries::Typed(call)) => {
                if call.is_of(codec) {
                    // SAFETY: the codec stands beside its handler in the entry; the rest is passed on.
                    return unsafe { call.pass(*handler, module, cx) };
                }
                if !call.may_cross(codec) {
                    return Status::Mismatch;
                }
                // SAFETY: as above.
                unsafe { call.cross(codec, *handler, module, cx) }
            }
            (RequestFn::Typed(handler, codec), Carries::Bytes { args, reply }) => {
                // SAFETY: as above.
                unsafe { codec.serve(*handler, module, args, *reply, cx) }
            }
            (RequestFn::Typed(handler, codec), Carries::Raw { request, response }) => {
                let mut reply = Vec::new();
                // SAFETY: as above.
                let status = unsafe { codec.serve(*handler, module, &request.payload, &mut reply, cx) };
                if status == Status::Handled {
                    *response = Some(Response::Success(reply));
                }
                status
            }
            (RequestFn::Raw(handler), Carries::Raw { request, response }) => {
                request.set_source(cx.up().map_or("", Context::name));
                // SAFETY: passed on.
                unsafe { handler(module, request, response, cx) }
            }
            (RequestFn::Raw(handler), carries) => {
                let payload = match carries {
                    Carries::Typed(call) => call.encode().bytes().to_vec(),
                    Carries::Bytes { args, .. } => args.to_vec(),
                    Carries::Raw { .. } => unreachable!("matched above"),
                };
                let mut request = Request::new(name).with_payload(payload);
                request.set_source(cx.up().map_or("", Context::name));
                let mut response = None;
                // SAFETY: passed on.
                let status = unsafe { handler(module, &request, &mut response, cx) };
                if status == Status::Handled { take_response(response, carries, cx) } else { status }
            }
        }
    }

    /// Leaves a module whose handler panicked: nobody enters it again. Whether that was not known before.
    pub(crate) fn crash(self) -> bool {
        let instance = self.way.instance();
        let is_first = instance.crash();
        instance.word.leave_closed(self.way.access);
        self.mark.clear();
        core::mem::forget(self);
        is_first
    }
}

/// Turns a raw handler's response into what a typed or encoded call expects.
fn take_response(response: Option<Response>, carries: &mut Carries<'_>, cx: &Context) -> Status {
    match response {
        Some(Response::Success(bytes)) => match carries {
            Carries::Typed(call) => {
                if call.decode(&bytes) {
                    Status::Handled
                } else {
                    Status::BadReply
                }
            }
            Carries::Bytes { reply, .. } => {
                if reply.put(&bytes) {
                    Status::Handled
                } else {
                    Status::Full
                }
            }
            Carries::Raw { .. } => unreachable!("a raw call keeps the response as it is"),
        },
        Some(Response::Error(message) | Response::Rejected(message)) => {
            cx.fail(ModuleError::Failed(message.into()));
            Status::Failed
        }
        Some(Response::NotSupported) | None => Status::Ignored,
    }
}
