//! The one dispatch: how an event reaches its listeners and a request its handler. No user code runs under a lock of ours.

use alloc::boxed::Box;
use alloc::format;
use alloc::string::String;
use alloc::sync::Weak;
use alloc::vec::Vec;
use core::fmt;
use core::ptr::NonNull;
use core::sync::atomic::AtomicBool;

use crate::chain;
use crate::codec::Codec;
use crate::config::Config;
use crate::context::{Call, Context, Host, ModuleId, Route};
use crate::descriptor::{RequestEntry, RequestFn, Status};
use crate::error::{IpcError, IpcResult, ModuleError};
use crate::event::{Delivery, EventType, ModuleCrashed, ModuleName, Publish, PublishResult};
use crate::handle::Handle;
use crate::runtime::names::Names;
use crate::runtime::slot::{Access, Entered, Refused, Slot};
use crate::runtime::topics::Topics;
use crate::runtime::{ANY_REQUEST, SavedState};

/// What a [`Runtime`](crate::Runtime) and its [`Handle`]s share.
pub(crate) struct Inner {
    pub(super) slots: Box<[Slot]>,
    /// The order in which they start.
    pub(super) order: Vec<usize>,
    /// For each module and each of its dependencies, who meets it.
    pub(super) providers: Vec<Vec<Option<usize>>>,
    pub(super) names: Names,
    pub(super) topics: Topics,
    pub(super) config: Box<dyn Config>,
    pub(super) depth_limit: u32,
    /// What modules are to take back when they start.
    pub(super) states: Vec<SavedState>,
    /// Whether one of the runtime's own transitions is under way.
    pub(super) moving: AtomicBool,
    pub(super) this: Weak<Inner>,
}

/// How long a call may wait for another thread to leave a module.
#[derive(Clone, Copy)]
pub(super) struct Patience(#[cfg(feature = "std")] Option<std::time::Instant>);

impl Patience {
    pub(super) const ENDLESS: Self = Self(
        #[cfg(feature = "std")]
        None,
    );

    /// For so many seconds from now; without std nobody waits anyway.
    pub(super) fn seconds(seconds: u64) -> Self {
        #[cfg(feature = "std")]
        return Self(Some(std::time::Instant::now() + std::time::Duration::from_secs(seconds)));
        #[cfg(not(feature = "std"))]
        {
            let _ = seconds;
            Self::ENDLESS
        }
    }

    /// Whether it has run out.
    pub(super) fn is_over(self) -> bool {
        #[cfg(feature = "std")]
        return self.0.is_some_and(|deadline| std::time::Instant::now() >= deadline);
        #[cfg(not(feature = "std"))]
        true
    }
}

impl Inner {
    pub(super) fn address(&self) -> *const () {
        core::ptr::from_ref(self).cast()
    }

    fn slot(&self, id: ModuleId) -> &Slot {
        &self.slots[id.0 as usize]
    }

    /// Enters a module; with `std`, waits for another thread to leave it where that cannot end in a circle.
    #[inline]
    pub(super) fn enter<'a>(
        &self,
        slot: &'a Slot,
        access: Access,
        up: Option<&Context>,
        patience: Patience,
    ) -> Result<Entered<'a>, Refused> {
        match slot.enter(access) {
            Err(Refused::Busy) => self.wait(slot, access, up, patience),
            entered => entered,
        }
    }

    #[cfg(feature = "std")]
    #[cold]
    fn wait<'a>(
        &self,
        slot: &'a Slot,
        access: Access,
        up: Option<&Context>,
        patience: Patience,
    ) -> Result<Entered<'a>, Refused> {
        super::wait::wait(self.address(), slot, access, up, patience.0)
    }

    /// Without std nobody waits: whoever is inside may be what this call has interrupted.
    #[cfg(not(feature = "std"))]
    fn wait<'a>(&self, _: &'a Slot, _: Access, _: Option<&Context>, _: Patience) -> Result<Entered<'a>, Refused> {
        Err(Refused::Busy)
    }

    /// The call that leads to the next one: the one given, else the innermost of this thread.
    pub(super) fn up(&self, from: Option<&Context>) -> Option<NonNull<Context>> {
        from.map(NonNull::from).or_else(chain::top)
    }

    pub(super) fn up_context(&self) -> Option<&Context> {
        // SAFETY: the innermost call of this thread is below us on this very stack.
        chain::top().map(|top| unsafe { top.as_ref() })
    }

    #[cold]
    pub(super) fn busy(&self, up: Option<&Context>, slot: &Slot) -> IpcError {
        let mut chain = match up {
            Some(up) if up.holds_lock_of(self.address(), slot.id) => up.chain() + " -> ",
            _ => String::new(),
        };
        chain.push_str(slot.name());
        IpcError::Busy { chain }
    }

    /// Calls those of an event's handlers whose module `reaches` picks.
    #[inline]
    pub(super) fn publish_to(
        &self,
        from: Option<&Context>,
        delivery: &Delivery<'_>,
        reaches: impl Fn(&Slot) -> bool,
        patience: Patience,
    ) -> PublishResult {
        let mut result = PublishResult::default();
        // SAFETY: `self` and the calls that led here outlive this one.
        let mut cx = unsafe { Context::new(ModuleId(0), self, self.up(from)) };
        if let Some(error) = self.too_deep(&cx) {
            result.fail("helix", error.into());
            return result;
        }
        let up = cx.up_link();
        let link = NonNull::from(&mut cx);
        let _pushed = chain::enter(link);
        let (listeners, by_name) = self.topics.listeners(delivery);
        for listener in listeners {
            let slot = &self.slots[listener.slot as usize];
            if !reaches(slot) || (by_name && !listener.hears_named(delivery.topic, delivery.name)) {
                continue;
            }
            // SAFETY: the link above outlives this call.
            let up = up.map(|up| unsafe { up.as_ref() });
            let entered = match self.enter(slot, listener.access, up, patience) {
                Ok(entered) => entered,
                Err(Refused::NotRunning) => continue,
                Err(Refused::Busy) => {
                    result.busy += 1;
                    continue;
                }
            };
            // SAFETY: `cx` is on this stack, and between two handlers nobody looks at it.
            unsafe { (*link.as_ptr()).turn_to(slot.id, listener.access != Access::Free) };
            // SAFETY: as above; it is only looked at until the handler has returned.
            let cx = unsafe { link.as_ref() };
            // SAFETY: the topics list a handler of this slot with its access, for deliveries that it hears.
            match unsafe { entered.event(listener.call, delivery, cx) } {
                Status::Handled => result.handled += 1,
                Status::Ignored => result.ignored += 1,
                Status::Panicked => {
                    let error = self.crashed(entered, slot, cx);
                    result.fail(slot.name(), error);
                }
                _ => {
                    let error = cx.take_fault();
                    log::warn!(target: slot.name(), "event `{}`: {error}", delivery.name);
                    result.fail(slot.name(), error);
                }
            }
        }
        result
    }

    /// A handler has panicked: its module has failed, and the others hear of it.
    #[cold]
    pub(super) fn crashed(&self, entered: Entered<'_>, slot: &Slot, cx: &Context) -> ModuleError {
        let error = cx.take_fault();
        entered.crash();
        log::error!(target: slot.name(), "{error}");
        self.announce(Some(cx), |name| ModuleCrashed { name }, slot, Patience::ENDLESS);
        error
    }

    /// Publishes something about a module.
    pub(super) fn announce<E: EventType>(
        &self,
        from: Option<&Context>,
        event: impl Fn(ModuleName) -> E,
        about: &Slot,
        patience: Patience,
    ) {
        // A name is at most 64 bytes, which is what a `ModuleName` holds.
        let name = ModuleName::try_from(about.name()).unwrap_or_default();
        let result = event(name).deliver(|delivery| self.publish_to(from, delivery, |_| true, patience));
        if !result.is_clean() {
            log::warn!(target: about.name(), "not everyone heard of it: {result:?}");
        }
    }

    #[cold]
    fn failure(
        &self,
        status: Status,
        fault: Option<ModuleError>,
        slot: &Slot,
        route: Route,
        call: &Call<'_, '_>,
        cx: &Context,
    ) -> IpcError {
        let request = || format!("{}.{}", slot.name(), call.request);
        let codec = || match slot.request(route) {
            Some((RequestEntry { call: RequestFn::Typed(_, codec), .. }, _)) => *codec,
            _ => Codec::of::<(), ()>(),
        };
        match status {
            Status::Ignored => IpcError::NotSupported { module: slot.name().into(), request: call.request.into() },
            Status::Malformed => {
                IpcError::Malformed { what: "arguments", request: request(), expected: codec().args() }
            }
            Status::BadReply => IpcError::Malformed {
                what: "reply",
                request: request(),
                expected: call.carries.reply_shape().unwrap_or_else(|| codec().reply()),
            },
            Status::Full => IpcError::BufferFull { request: request() },
            Status::Mismatch => match call.carries.codec().map(|codec| self.agree(route, codec)) {
                Some(Err(error)) => error,
                _ => IpcError::NotSupported { module: slot.name().into(), request: call.request.into() },
            },
            Status::Handled | Status::Failed | Status::Panicked => IpcError::Failed {
                module: slot.name().into(),
                request: call.request.into(),
                error: Box::new(fault.unwrap_or_else(|| cx.take_fault())),
            },
        }
    }

    fn request_not_found(&self, target: &str, request: &str) -> IpcError {
        let known = self.names.of(target);
        IpcError::RequestNotFound {
            module: target.into(),
            request: request.into(),
            known: if known.is_empty() { "none".into() } else { known.join(", ") },
        }
    }

    pub(super) fn too_deep(&self, cx: &Context) -> Option<IpcError> {
        (cx.depth() >= self.depth_limit).then(|| IpcError::TooDeep {
            limit: self.depth_limit,
            chain: cx.up().map_or_else(String::new, Context::chain),
        })
    }
}

impl Host for Inner {
    fn name(&self, module: ModuleId) -> &str {
        self.slot(module).name()
    }

    fn config(&self, module: ModuleId, key: &str) -> Option<&str> {
        self.config.value(self.slot(module).name(), key)
    }

    fn log(&self, module: ModuleId, level: log::Level, text: fmt::Arguments<'_>) {
        log::log!(target: self.slot(module).name(), level, "{text}");
    }

    fn publish(&self, from: Option<&Context>, delivery: &Delivery<'_>) -> PublishResult {
        self.publish_to(from, delivery, |_| true, Patience::ENDLESS)
    }

    fn resolve(&self, target: &str, request: &str) -> IpcResult<Route> {
        let found = self.names.find(target, request).or_else(|| self.names.find(target, ANY_REQUEST));
        if let Some(route) = found {
            return Ok(route);
        }
        if !self.names.has(target) {
            return Err(IpcError::ModuleNotFound { name: target.into() });
        }
        Err(self.request_not_found(target, request))
    }

    fn agree(&self, route: Route, codec: &'static Codec) -> IpcResult<()> {
        let slot = &self.slots[route.module as usize];
        let Some((request, _)) = slot.request(route) else { return Ok(()) };
        let RequestFn::Typed(_, handler) = &request.call else { return Ok(()) };
        codec.agrees(handler).map_err(|(what, found, expected)| IpcError::SchemaMismatch {
            what,
            request: format!("{}.{}", slot.name(), request.name),
            found,
            expected,
        })
    }

    fn call(&self, from: Option<&Context>, route: Route, call: &mut Call<'_, '_>) -> IpcResult<()> {
        let slot = &self.slots[route.module as usize];
        let Some((request, access)) = slot.request(route) else {
            return Err(self.request_not_found(slot.name(), call.request));
        };
        // SAFETY: `self` and the calls that led here outlive this one.
        let mut cx = unsafe { Context::new(slot.id, self, self.up(from)) };
        if let Some(error) = self.too_deep(&cx) {
            return Err(error);
        }
        let entered = match self.enter(slot, access, cx.up(), Patience::ENDLESS) {
            Ok(entered) => entered,
            Err(Refused::Busy) => return Err(self.busy(cx.up(), slot)),
            Err(Refused::NotRunning) => {
                return Err(IpcError::NotRunning { module: slot.name().into(), state: slot.state() });
            }
        };
        cx.turn_to(slot.id, access != Access::Free);
        let _pushed = chain::enter(NonNull::from(&cx));
        // SAFETY: `request` is an entry of this slot, and `access` is its own.
        let status = unsafe { entered.request(&request.call, call.request, call.carries, &cx) };
        if status == Status::Handled {
            return Ok(());
        }
        let fault = if status == Status::Panicked { Some(self.crashed(entered, slot, &cx)) } else { None };
        Err(self.failure(status, fault, slot, route, call, &cx))
    }

    fn handle(&self) -> Handle {
        Handle::new(self.this.clone())
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        self.end();
        for at in self.order.iter().rev() {
            self.slots[*at].destroy();
        }
    }
}
