//! Closures as modules: one handler that takes `&self`, behind the same table as an annotated module's.

use alloc::boxed::Box;

use crate::bus::EventHandler;
use crate::descriptor::{Descriptor, VTable};
use crate::erase::{Handler, entries, guard};
use crate::event::Event;
use crate::info::ModuleInfo;
use crate::request::{Request, Response};
use crate::runtime::ANY_REQUEST;

/// A closure that answers requests.
pub type RequestHandler = Box<dyn Fn(&Request) -> Response + Send + Sync>;

const LISTENS: &[Handler<EventHandler>] =
    &[Handler::event::<Event, Event, _, _>(|closure: &EventHandler, event, _| closure(event))];

const ANSWERS: &[Handler<RequestHandler>] =
    &[Handler::raw(ANY_REQUEST, |closure: &RequestHandler, request, _| Ok(closure(request)))];

const fn descriptor<C>(name: &'static str, handlers: &'static [Handler<C>]) -> Descriptor {
    Descriptor {
        handlers: entries(handlers),
        vtable: VTable { create: || core::ptr::null_mut(), destroy: destroy::<C> },
        ..Descriptor::of_info(ModuleInfo::new(name))
    }
}

/// A closure that listens, and its descriptor.
pub(crate) fn listens(name: &'static str, closure: EventHandler) -> (Descriptor, *mut ()) {
    (descriptor(name, LISTENS), Box::into_raw(Box::new(closure)).cast())
}

/// A closure that answers, and its descriptor.
pub(crate) fn answers(name: &'static str, closure: RequestHandler) -> (Descriptor, *mut ()) {
    (descriptor(name, ANSWERS), Box::into_raw(Box::new(closure)).cast())
}

unsafe fn destroy<C>(closure: *mut ()) {
    // SAFETY: `listens` or `answers` made it of a `C`, and the instance gives it back once.
    let closure = unsafe { Box::from_raw(closure.cast::<C>()) };
    drop(guard(|| drop(closure)));
}
