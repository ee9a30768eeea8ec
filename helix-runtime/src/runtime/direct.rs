//! The short way of a request: the values themselves, to a handler of those very types, in a module that may be entered at
//! once.
//!
//! Whatever else a call may need (a permission, bytes, a wait, a successor) goes the way of `dispatch.rs`, which comes to
//! the same: this one gives up before it has done anything.

use alloc::boxed::Box;
use alloc::format;
use alloc::string::String;
use core::ptr::NonNull;

use crate::chain::Light;
use crate::codec::{Codec, TypedCall};
use crate::context::Context;
use crate::descriptor::{RequestFn, Status};
use crate::error::IpcError;
use crate::host::{Direct, To};
use crate::irq;
use crate::runtime::inner::Inner;
use crate::runtime::names::Target;
use crate::runtime::walk::Link;
use crate::runtime::way::Entered;
use crate::schema::Shape;

impl Inner {
    /// Makes a call so, if it can be made so.
    #[inline(always)]
    pub(super) fn direct(&self, from: Option<&Context>, to: &To<'_>, call: &mut TypedCall<'_>) -> Direct {
        irq::assert_task_level("a request");
        let here = self.calls.here(from);
        // SAFETY: `self` and the calls that led here outlive this one.
        let mut cx = unsafe { Context::new(&self.root, self, here.up()) };
        let depth = cx.depth();
        if depth >= self.settings.depth_limit || cx.patience().is_late() {
            return Direct::Not;
        }
        let link = Link(NonNull::from(&mut cx));
        let (under, guard) = here.enter(link.0);
        let names = &self.view(guard.keeps()).names;
        let found = match *to {
            To::Route(route, _) => names.target(route),
            To::Path(path) => names.at_path(path),
        };
        let (Some(target), mark) = (found, under.mark(depth)) else { return Direct::Not };
        let RequestFn::Typed(handler, codec) = target.call else { return Direct::Not };
        let as_it_is = call.is_of(codec);
        if !target.is_plain || !(as_it_is || call.may_cross(codec)) {
            return Direct::Not;
        }
        let (way, access) = (&target.way, target.way.access);
        let Ok(instance) = way.enter_as(access, mark, Light::FREE) else { return Direct::Not };
        let entered = Entered::new(way, mark);
        link.turn_to(&instance.place, access);
        // SAFETY: the handler is of this instance, which was entered, and has the types of the call, or of its codec.
        let status = unsafe {
            if as_it_is {
                call.pass(handler, instance.data(), link.cx())
            } else {
                call.cross(codec, handler, instance.data(), link.cx())
            }
        };
        if status == Status::Handled {
            self.leave(access, entered, link, instance);
            drop(guard);
            return Direct::Replied;
        }
        call.error = Some(self.failed_directly(target, codec, entered, status, link.cx()));
        self.release(access, link, instance);
        Direct::Failed
    }

    #[cold]
    fn failed_directly(
        &self,
        target: &Target,
        codec: &Codec,
        entered: Entered<'_>,
        status: Status,
        cx: &Context,
    ) -> IpcError {
        let module: String = entered.instance().name().into();
        let malformed = |what, shape: fn(&Codec) -> Shape| {
            let request = format!("{module}.{}", target.request.name);
            let expected = shape(codec);
            IpcError::Malformed { what, request, expected }
        };
        let error = match status {
            Status::Malformed => return malformed("arguments", Codec::args),
            Status::BadReply => return malformed("reply", Codec::reply),
            Status::Panicked => self.crashed(entered, cx),
            _ => {
                drop(entered);
                cx.take_fault()
            }
        };
        IpcError::Failed { module, request: target.request.name.into(), error: Box::new(error) }
    }
}
