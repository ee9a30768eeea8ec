//! Modules written by hand, beside the annotated ones: the seed's trait, seen through the same table of handlers.

use alloc::boxed::Box;
use alloc::vec::Vec;

use crate::abi::AbiTag;
use crate::context::Context;
use crate::descriptor::{Descriptor, Step, VTable};
use crate::erase::{Handler, guard};
use crate::error::ModuleError;
use crate::event::{Event, EventResponse};
use crate::info::ModuleInfo;
use crate::request::{Request, Response};
use crate::runtime::ANY_REQUEST;

/// A module written by hand, for static placement. It hears every event and is asked every request.
///
/// ```
/// use helix_runtime::prelude::*;
/// use helix_runtime::{ModuleInfo, ModuleTrait, Runtime};
///
/// struct Echo;
/// impl ModuleTrait for Echo {
///     fn info(&self) -> ModuleInfo { ModuleInfo::new("echo") }
///     fn handle_request(&mut self, request: &Request) -> Result<Response, ModuleError> {
///         Ok(Response::ok(request.payload.clone()))
///     }
/// }
///
/// let runtime = Runtime::builder().add(Box::new(Echo)).build()?;
/// runtime.start()?;
/// let response = runtime.request("echo", Request::new("anything").with_payload(b"hi"))?;
/// assert_eq!(response, Response::ok(b"hi"));
/// # Ok::<(), Box<dyn core::error::Error>>(())
/// ```
pub trait ModuleTrait: Send + Sync {
    /// Its metadata. Asked once, before anything else.
    fn info(&self) -> ModuleInfo;

    /// Prepares the module: its configuration can be read, its dependencies run.
    fn init(&mut self, ctx: &Context) -> Result<(), ModuleError> {
        let _ = ctx;
        Ok(())
    }

    /// The module is about to run.
    fn start(&mut self) -> Result<(), ModuleError> {
        Ok(())
    }

    /// The module does not run any more.
    fn stop(&mut self) -> Result<(), ModuleError> {
        Ok(())
    }

    /// An event was published.
    fn handle_event(&mut self, event: &Event) -> EventResponse {
        let _ = event;
        EventResponse::Ignored
    }

    /// Someone asks something.
    fn handle_request(&mut self, request: &Request) -> Result<Response, ModuleError> {
        let _ = request;
        Ok(Response::not_supported())
    }

    /// Whether the module is well.
    fn is_healthy(&self) -> bool {
        true
    }

    /// What a later instance takes back; `None` when there is nothing to keep.
    fn save_state(&self) -> Option<Vec<u8>> {
        None
    }

    /// Takes back what an earlier instance has saved.
    fn restore_state(&mut self, state: &[u8]) -> Result<(), ModuleError> {
        let _ = state;
        Ok(())
    }
}

type Written = Box<dyn ModuleTrait>;

const HANDLERS: &[Handler<Written>] = &[
    Handler::step_mut(Step::Init, |module: &mut Written, cx| module.init(cx)),
    Handler::step_mut(Step::Start, |module: &mut Written, _| module.start()),
    Handler::step_mut(Step::Stop, |module: &mut Written, _| module.stop()),
    Handler::health(|module: &Written, _| module.is_healthy()),
    Handler::event_mut::<Event, Event, _, _>(|module: &mut Written, event, _| module.handle_event(event)),
    Handler::raw_mut(ANY_REQUEST, |module: &mut Written, request, _| module.handle_request(request)),
    Handler::save(1, |module: &Written, _| module.save_state()),
    Handler::restore_mut(1, |module: &mut Written, state: Option<Vec<u8>>, _| match state {
        Some(state) => module.restore_state(&state),
        None => Ok(()),
    }),
];

pub(crate) fn descriptor(info: ModuleInfo) -> Descriptor {
    Descriptor {
        abi: AbiTag::THIS,
        info,
        settings: &[],
        handlers: crate::erase::entries(HANDLERS),
        contracts: &[],
        vtable: VTable { create: || core::ptr::null_mut(), destroy },
        #[cfg(feature = "std")]
        home: None,
    }
}

pub(crate) fn into_instance(module: Written) -> *mut () {
    Box::into_raw(Box::new(module)).cast()
}

unsafe fn destroy(instance: *mut ()) {
    // SAFETY: `into_instance` made it, and the slot gives it back once.
    let module = unsafe { Box::from_raw(instance.cast::<Written>()) };
    drop(guard(|| drop(module)));
}
