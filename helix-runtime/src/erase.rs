//! Where a module loses its type: typed closures become the function pointers of its descriptor.
//!
//! Invariants, kept by the runtime's slots, the only callers of what is made here:
//! - a function made for `M` is called with a pointer that `create` of the same `M` has returned and `destroy` has not
//!   yet taken, or, for a hand-written module, with one to its box;
//! - a function that takes `&mut M` is called while no other function of that instance runs;
//! - values behind `*mut ()` have the types that the entry's codec names.

mod setting;

pub use setting::Setting;

use alloc::boxed::Box;
use alloc::string::{String, ToString};
use core::marker::PhantomData;
use core::mem::MaybeUninit;

use serde::{Deserialize, Serialize};

use crate::abi::AbiTag;
use crate::codec::Codec;
use crate::context::Context;
use crate::descriptor::{
    Descriptor, Entry, EntryKind, RequestEntry, RequestFn, SettingEntry, Status, Step, TypedFn, VTable,
};
use crate::error::ModuleError;
use crate::event::{ByName, Delivery, EventResponse, Heard, HeardAs, Hears, SubscriptionPriority};
use crate::message::{Args, EncodeError, Return, Sink, decode, encode};
use crate::module::{EventReturn, Module, StepReturn};
use crate::place::Remote;
use crate::request::{Request, Response};

/// A handler of module `M`.
#[doc(hidden)]
#[derive(Debug)]
#[repr(transparent)]
pub struct Handler<M> {
    entry: Entry,
    module: PhantomData<fn(&mut M)>,
}

/// Gives a module's descriptor.
pub(crate) struct Describe<M>(PhantomData<M>);

impl<M: Module> Describe<M> {
    pub(crate) const DESCRIPTOR: &'static Descriptor = &{
        let () = M::CHECKED;
        Descriptor {
            abi: AbiTag::THIS,
            info: M::INFO,
            // SAFETY: `Setting` is a transparent wrapper of `SettingEntry`.
            settings: unsafe { &*(core::ptr::from_ref(M::SETTINGS) as *const [SettingEntry]) },
            handlers: entries(M::HANDLERS),
            // SAFETY: `Handler` is a transparent wrapper of `Entry`, so slices of slices of them have one layout.
            contracts: unsafe { &*(core::ptr::from_ref(M::CONTRACTS) as *const [&'static [Entry]]) },
            vtable: VTable { create: create::<M>, destroy: destroy::<M> },
            #[cfg(feature = "std")]
            home: None,
        }
    };
}

pub(crate) const fn entries<M>(handlers: &'static [Handler<M>]) -> &'static [Entry] {
    // SAFETY: `Handler` is a transparent wrapper of `Entry`.
    unsafe { &*(core::ptr::from_ref(handlers) as *const [Entry]) }
}

unsafe fn create<M: Module>() -> *mut () {
    match guard(|| Box::new(M::create())) {
        Ok(module) => Box::into_raw(module).cast(),
        Err(_) => core::ptr::null_mut(),
    }
}

unsafe fn destroy<M>(module: *mut ()) {
    // SAFETY: by the invariant `create` made it, and nobody uses it any more.
    let module = unsafe { Box::from_raw(module.cast::<M>()) };
    drop(guard(|| drop(module)));
}

/// A closure that captures nothing, out of thin air.
///
/// # Safety
/// An `F` has been passed to a constructor that asserts that its size is zero.
#[inline]
#[expect(clippy::uninit_assumed_init, reason = "what has no bytes has none that are not initialised")]
unsafe fn closure<F: Copy>() -> F {
    // SAFETY: an `F` is of size zero, and since one existed, it is inhabited; being `Copy`, it may exist again.
    unsafe { MaybeUninit::<F>::uninit().assume_init() }
}

const CAPTURES: &str = "a handler must capture nothing";

/// Runs user code; with `std`, a panic ends here.
#[inline]
pub(crate) fn guard<T>(run: impl FnOnce() -> T) -> Result<T, String> {
    #[cfg(feature = "std")]
    {
        let run = std::panic::AssertUnwindSafe(run);
        std::panic::catch_unwind(run).map_err(|payload| {
            let message = payload
                .downcast_ref::<&'static str>()
                .map(ToString::to_string)
                .or_else(|| payload.downcast_ref::<String>().cloned())
                .unwrap_or_else(|| "no message".into());
            // Dropping what was thrown may throw again.
            if let Err(again) = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| drop(payload))) {
                core::mem::forget(again);
            }
            message
        })
    }
    #[cfg(not(feature = "std"))]
    Ok(run())
}

#[inline]
fn finish<T>(cx: &Context, run: impl FnOnce() -> Result<T, ModuleError>) -> Result<T, Status> {
    match guard(run) {
        Ok(Ok(value)) => Ok(value),
        Ok(Err(error)) => {
            cx.fail(error);
            Err(Status::Failed)
        }
        Err(message) => {
            cx.fail(ModuleError::Panicked { module: cx.name().to_string(), message });
            Err(Status::Panicked)
        }
    }
}

/// Decodes a value; its type may be the user's to the last impl, so this is user code.
pub(crate) fn decoded<'a, T: Deserialize<'a>>(bytes: &'a [u8], cx: &Context) -> Result<T, Status> {
    finish(cx, || Ok(decode(bytes)))?.ok_or(Status::Malformed)
}

/// Encodes a value; user code, as above.
pub(crate) fn encoded<T: Serialize>(value: &T, sink: &mut dyn Sink, cx: &Context) -> Status {
    match finish(cx, || Ok(encode(value, sink))) {
        Ok(Ok(())) => Status::Handled,
        Ok(Err(EncodeError::Full)) => Status::Full,
        Ok(Err(EncodeError::Refused)) => {
            cx.fail(ModuleError::new("a value could not be encoded: its `Serialize` has refused"));
            Status::Failed
        }
        Err(status) => status,
    }
}

/// Drops a value of a user's type, which is user code too, after it has come to that status.
#[inline]
pub(crate) fn dropped<T>(value: T, status: Status, cx: &Context) -> Status {
    if !core::mem::needs_drop::<T>() {
        return status;
    }
    let drops = || {
        drop(value);
        Ok(())
    };
    match finish(cx, drops) {
        Ok(()) => status,
        Err(panicked) => panicked,
    }
}

#[inline]
fn done(result: Result<(), Status>) -> Status {
    match result {
        Ok(()) => Status::Handled,
        Err(status) => status,
    }
}

/// The other copy of this crate that an event has come from, if its handler takes what is made of it here.
#[inline(always)]
fn received_from(cx: &Context, is_received: bool) -> Option<&Remote> {
    if is_received { cx.remote() } else { None }
}

#[inline]
fn respond(cx: &Context, run: impl FnOnce() -> EventResponse) -> Status {
    match guard(run) {
        Ok(EventResponse::Handled) => Status::Handled,
        Ok(EventResponse::Ignored) => Status::Ignored,
        Ok(EventResponse::Deferred) => Status::Deferred,
        Ok(EventResponse::Error(error)) => {
            cx.fail(error);
            Status::Failed
        }
        Err(message) => {
            cx.fail(ModuleError::Panicked { module: cx.name().to_string(), message });
            Status::Panicked
        }
    }
}

/// The constructors, once for `&M` and once for `&mut M`.
macro_rules! constructors {
    ($exclusive:literal, $ref:ty, $cast:expr,
     $step:ident $health:ident $event:ident $named:ident $heard:ident $request:ident $raw:ident $save:ident $restore:ident) => {
        #[doc(hidden)]
        impl<M: 'static> Handler<M> {
            /// A step of the lifecycle.
            pub const fn $step<R: StepReturn, F>(step: Step, _run: F) -> Self
            where
                F: Fn($ref, &Context) -> R + Copy,
            {
                unsafe fn call<M, R: StepReturn, F: Fn($ref, &Context) -> R + Copy>(
                    module: *mut (),
                    cx: &Context,
                ) -> Status {
                    // SAFETY: `run` was passed to the constructor; the module is the callers' promise.
                    let (run, module) = unsafe { (closure::<F>(), $cast(module)) };
                    done(finish(cx, || run(module, cx).into_result()))
                }
                assert!(size_of::<F>() == 0, "{}", CAPTURES);
                Self::new($exclusive, EntryKind::Step(step, call::<M, R, F>))
            }

            /// Tells whether the module is well.
            pub const fn $health<F>(_run: F) -> Self
            where
                F: Fn($ref, &Context) -> bool + Copy,
            {
                unsafe fn call<M, F: Fn($ref, &Context) -> bool + Copy>(module: *mut (), cx: &Context) -> Status {
                    // SAFETY: as above.
                    let (run, module) = unsafe { (closure::<F>(), $cast(module)) };
                    match finish(cx, || Ok(run(module, cx))) {
                        Ok(true) => Status::Handled,
                        Ok(false) => Status::Ignored,
                        Err(status) => status,
                    }
                }
                assert!(size_of::<F>() == 0, "{}", CAPTURES);
                Self::new($exclusive, EntryKind::Step(Step::Health, call::<M, F>))
            }

            /// A handler of what `E` names, which takes it as `&P`.
            pub const fn $event<E: Heard + HeardAs<P>, P, R: EventReturn, F>(_run: F) -> Self
            where
                F: Fn($ref, &P, &Context) -> R + Copy,
            {
                assert!(size_of::<F>() == 0, "{}", CAPTURES);
                let priority = SubscriptionPriority::NORMAL;
                Self::new($exclusive, EntryKind::Event { hears: E::HEARS, priority, call: Self::$heard::<E, P, R, F> })
            }

            /// A handler of a topic by its name.
            pub const fn $named<P, R: EventReturn, F>(topic: &'static str, _run: F) -> Self
            where
                ByName: HeardAs<P>,
                F: Fn($ref, &P, &Context) -> R + Copy,
            {
                assert!(size_of::<F>() == 0, "{}", CAPTURES);
                let (hears, priority) = (Hears::Named(topic), SubscriptionPriority::NORMAL);
                Self::new($exclusive, EntryKind::Event { hears, priority, call: Self::$heard::<ByName, P, R, F> })
            }

            #[inline]
            unsafe fn $heard<E: HeardAs<P>, P, R: EventReturn, F>(
                module: *mut (),
                delivery: &Delivery<'_>,
                cx: &Context,
            ) -> Status
            where
                F: Fn($ref, &P, &Context) -> R + Copy,
            {
                // SAFETY: as above.
                let (run, module) = unsafe { (closure::<F>(), $cast(module)) };
                #[cfg(feature = "std")]
                let mut received: Option<P> = None;
                let event = match received_from(cx, <E as HeardAs<P>>::IS_RECEIVED) {
                    #[cfg(feature = "std")]
                    Some(remote) => {
                        match E::receive(&remote.lend(delivery), cx) {
                            Ok(event) => received = event,
                            Err(status) => return status,
                        }
                        received.as_ref()
                    }
                    // SAFETY: the dispatch calls only those who listen to the delivery.
                    _ => unsafe { <E as HeardAs<P>>::view(delivery) },
                };
                let Some(event) = event else { return Status::Ignored };
                let status = respond(cx, || run(module, event, cx).into_response());
                #[cfg(feature = "std")]
                let status = if <E as HeardAs<P>>::IS_RECEIVED { dropped(received, status, cx) } else { status };
                status
            }

            /// A request with typed arguments.
            pub const fn $request<A: Args, R: Return, F>(
                name: &'static str,
                params: &'static [&'static str],
                _run: F,
            ) -> Self
            where
                F: for<'a> Fn($ref, A::Of<'a>, &Context) -> R + Copy,
            {
                unsafe fn call<M, A: Args, R: Return, F: for<'a> Fn($ref, A::Of<'a>, &Context) -> R + Copy>(
                    module: *mut (),
                    args: *mut (),
                    reply: *mut (),
                    cx: &Context,
                ) -> Status {
                    // SAFETY: as above.
                    let (run, module) = unsafe { (closure::<F>(), $cast(module)) };
                    // SAFETY: the codec of this entry names the types of `args` and `reply`.
                    let args = unsafe { args.cast::<A::Of<'_>>().read() };
                    done(finish(cx, || run(module, args, cx).into_reply()).map(|value| {
                        // SAFETY: as above.
                        unsafe { reply.cast::<R::Reply>().write(value) };
                    }))
                }
                assert!(size_of::<F>() == 0, "{}", CAPTURES);
                let call: TypedFn = call::<M, A, R, F>;
                Self::new(
                    $exclusive,
                    EntryKind::Request(RequestEntry {
                        name,
                        params,
                        doc: "",
                        permission: None,
                        call: RequestFn::Typed(call, Codec::of::<A, R::Reply>()),
                    }),
                )
            }

            /// A request in bytes.
            pub const fn $raw<F>(name: &'static str, _run: F) -> Self
            where
                F: Fn($ref, &Request, &Context) -> Result<Response, ModuleError> + Copy,
            {
                unsafe fn call<M, F>(
                    module: *mut (),
                    request: &Request,
                    response: &mut Option<Response>,
                    cx: &Context,
                ) -> Status
                where
                    F: Fn($ref, &Request, &Context) -> Result<Response, ModuleError> + Copy,
                {
                    // SAFETY: as above.
                    let (run, module) = unsafe { (closure::<F>(), $cast(module)) };
                    done(finish(cx, || run(module, request, cx)).map(|value| cx.respond(response, value)))
                }
                assert!(size_of::<F>() == 0, "{}", CAPTURES);
                Self::new(
                    $exclusive,
                    EntryKind::Request(RequestEntry {
                        name,
                        params: &[],
                        doc: "",
                        permission: None,
                        call: RequestFn::Raw(call::<M, F>),
                    }),
                )
            }

            /// Gives the state that a later instance takes back.
            pub const fn $save<R: Return, F>(version: u32, _run: F) -> Self
            where
                F: Fn($ref, &Context) -> R + Copy,
            {
                unsafe fn call<M, R: Return, F: Fn($ref, &Context) -> R + Copy>(
                    module: *mut (),
                    sink: &mut dyn Sink,
                    cx: &Context,
                ) -> Status {
                    // SAFETY: as above.
                    let (run, module) = unsafe { (closure::<F>(), $cast(module)) };
                    match finish(cx, || run(module, cx).into_reply()) {
                        Ok(state) => {
                            let status = encoded(&state, sink, cx);
                            dropped(state, status, cx)
                        }
                        Err(status) => status,
                    }
                }
                assert!(size_of::<F>() == 0, "{}", CAPTURES);
                let shape = <R::Reply as crate::message::Message>::SHAPE;
                Self::new($exclusive, EntryKind::Save { version, shape, call: call::<M, R, F> })
            }

            /// Takes back the state of one version.
            pub const fn $restore<S: crate::message::Message, R: StepReturn, F>(version: u32, _run: F) -> Self
            where
                F: Fn($ref, S, &Context) -> R + Copy,
            {
                unsafe fn call<M, S, R, F>(module: *mut (), bytes: &[u8], cx: &Context) -> Status
                where
                    S: crate::message::Message,
                    R: StepReturn,
                    F: Fn($ref, S, &Context) -> R + Copy,
                {
                    let state = match decoded::<S>(bytes, cx) {
                        Ok(state) => state,
                        Err(status) => return status,
                    };
                    // SAFETY: as above.
                    let (run, module) = unsafe { (closure::<F>(), $cast(module)) };
                    done(finish(cx, || run(module, state, cx).into_result()))
                }
                assert!(size_of::<F>() == 0, "{}", CAPTURES);
                Self::new($exclusive, EntryKind::Restore { version, shape: S::SHAPE, call: call::<M, S, R, F> })
            }
        }
    };
}

/// # Safety
/// `module` points to an `M` that is not borrowed mutably.
#[inline]
unsafe fn shared<'a, M>(module: *mut ()) -> &'a M {
    // SAFETY: passed on.
    unsafe { &*module.cast::<M>() }
}

/// # Safety
/// `module` points to an `M` that is not borrowed.
#[inline]
unsafe fn exclusive<'a, M>(module: *mut ()) -> &'a mut M {
    // SAFETY: passed on.
    unsafe { &mut *module.cast::<M>() }
}

constructors!(false, &M, shared::<M>, step health event named heard request raw save restore);
constructors!(true, &mut M, exclusive::<M>, step_mut health_mut event_mut named_mut heard_mut request_mut raw_mut save_mut restore_mut);

#[doc(hidden)]
impl<M: 'static> Handler<M> {
    const fn new(exclusive: bool, kind: EntryKind) -> Self {
        Self { entry: Entry { exclusive, kind }, module: PhantomData }
    }

    /// Sets an event handler's place among the others.
    pub const fn priority(mut self, to: SubscriptionPriority) -> Self {
        if let EntryKind::Event { priority, .. } = &mut self.entry.kind {
            *priority = to;
        }
        self
    }

    /// Adds a request's doc comment.
    pub const fn doc(mut self, doc: &'static str) -> Self {
        if let EntryKind::Request(request) = &mut self.entry.kind {
            request.doc = doc;
        }
        self
    }

    /// Adds what a request's caller must be allowed to do.
    pub const fn permission(mut self, permission: &'static str) -> Self {
        if let EntryKind::Request(request) = &mut self.entry.kind {
            request.permission = Some(permission);
        }
        self
    }

    pub(crate) const fn entry(&self) -> &Entry {
        &self.entry
    }
}
