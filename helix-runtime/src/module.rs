//! What the attributes implement: a module's constants, and the table of its handlers.

use crate::descriptor::Descriptor;
use crate::erase::{Describe, Handler, Setting};
use crate::error::ModuleError;
use crate::event::EventResponse;
use crate::info::ModuleInfo;

/// A struct under `#[helix_module]`.
///
/// ```
/// use helix_runtime::prelude::*;
/// use helix_runtime::Module;
///
/// /// Counts the ticks.
/// #[helix_module]
/// #[derive(Default)]
/// pub struct TickCounter { seen: u64 }
///
/// #[helix_handlers]
/// impl TickCounter {
///     #[on_event(Tick)]
///     fn tick(&mut self) { self.seen += 1; }
///     #[on_request]
///     fn seen(&self) -> u64 { self.seen }
/// }
///
/// assert_eq!(TickCounter::INFO.name, "tick-counter");
/// assert_eq!(TickCounter::INFO.description, "Counts the ticks.");
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a module",
    label = "not a module",
    note = "a module is a struct under `#[helix_module]`"
)]
pub trait Module: Handlers + Send + Sync + Sized {
    /// Its metadata.
    const INFO: ModuleInfo;
    /// All that is known of it, without its type.
    const DESCRIPTOR: &'static Descriptor = Describe::<Self>::DESCRIPTOR;
    /// Its config fields.
    #[doc(hidden)]
    const SETTINGS: &'static [Setting<Self>] = &[];
    /// The requests of the contracts it provides.
    #[doc(hidden)]
    const CONTRACTS: &'static [&'static [Handler<Self>]] = &[];
    /// Whether it may be reloaded with nothing to keep.
    #[doc(hidden)]
    const STATELESS: bool = false;
    /// Checks a generic module where its parameters are known; others are checked beside their declaration.
    #[doc(hidden)]
    const CHECKED: () = ();
    /// Makes an instance.
    #[doc(hidden)]
    fn create() -> Self;
}

/// The handlers of a module: an impl block under `#[helix_handlers]`.
#[diagnostic::on_unimplemented(
    message = "module `{Self}` has no handlers block",
    label = "no `#[helix_handlers] impl {Self}` for this module",
    note = "add `#[helix_handlers] impl {Self} {{ .. }}`, empty if it handles nothing"
)]
pub trait Handlers: Sized + 'static {
    /// One entry for each handler attribute, in source order.
    #[doc(hidden)]
    const HANDLERS: &'static [Handler<Self>];
    /// Whether the block was understood; of one that was not, the attribute has said what is wrong.
    #[doc(hidden)]
    const SOUND: bool = true;
}

/// A contract seen as a table of requests; `#[helix_service]` implements it for `dyn Trait`.
#[doc(hidden)]
#[diagnostic::on_unimplemented(
    message = "`{M}` provides a contract that it does not implement",
    label = "not a contract that `{M}` implements",
    note = "implement the trait for `{M}`; if you have, the trait lacks `#[helix_service(\"..\")]`"
)]
pub trait Contract<M: 'static> {
    const SERVICE: &'static str;
    const REQUESTS: &'static [Handler<M>];
}

/// What a lifecycle handler may return.
#[doc(hidden)]
#[diagnostic::on_unimplemented(
    message = "a lifecycle handler cannot return `{Self}`",
    label = "expected `()` or `Result<(), ModuleError>`"
)]
pub trait StepReturn {
    fn into_result(self) -> Result<(), ModuleError>;
}

#[diagnostic::do_not_recommend]
impl StepReturn for () {
    fn into_result(self) -> Result<(), ModuleError> {
        Ok(())
    }
}

#[diagnostic::do_not_recommend]
impl StepReturn for Result<(), ModuleError> {
    fn into_result(self) -> Self {
        self
    }
}

/// What an event handler may return.
#[doc(hidden)]
#[diagnostic::on_unimplemented(
    message = "an event handler cannot return `{Self}`",
    label = "expected `()`, `EventResponse` or `Result<(), ModuleError>`"
)]
pub trait EventReturn {
    fn into_response(self) -> EventResponse;
}

#[diagnostic::do_not_recommend]
impl EventReturn for () {
    #[inline]
    fn into_response(self) -> EventResponse {
        EventResponse::Handled
    }
}

#[diagnostic::do_not_recommend]
impl EventReturn for EventResponse {
    #[inline]
    fn into_response(self) -> EventResponse {
        self
    }
}

#[diagnostic::do_not_recommend]
impl EventReturn for Result<(), ModuleError> {
    #[inline]
    fn into_response(self) -> EventResponse {
        match self {
            Ok(()) => EventResponse::Handled,
            Err(error) => EventResponse::Error(error),
        }
    }
}
