//! The one dispatch: how a module is entered, and how a request reaches its handler. No user code runs under a lock of ours.

use alloc::boxed::Box;
use alloc::format;
use alloc::string::String;
use alloc::sync::Arc;
use core::cell::OnceCell;
use core::fmt;
use core::ptr::NonNull;
use core::time::Duration;

use crate::bus::{EventSubscription, SubscriptionId};
use crate::chain::{Light, Mark};
use crate::codec::{Codec, TypedCall};
use crate::context::{Context, Hold};
use crate::descriptor::{RequestEntry, RequestFn, Status};
use crate::error::{IpcError, IpcResult, ModuleError, ModuleState};
use crate::event::{Delivery, PublishResult};
use crate::handle::Handle;
use crate::host::{Call, Direct, Host, Route, To};
#[cfg(feature = "std")]
use crate::host::{Deliver, Native};
use crate::irq;
use crate::place::Place;
use crate::runtime::inner::Inner;
use crate::runtime::instance::Instance;
use crate::runtime::names::Names;
use crate::runtime::patience::Patience;
use crate::runtime::registry::View;
use crate::runtime::walk::Link;
use crate::runtime::way::{Entered, Way};
use crate::runtime::word::Refused;
use crate::runtime::{ANY_REQUEST, Missing};

impl Inner {
    /// Enters a module; with `std`, waits for another thread to leave it where that cannot end in a circle.
    pub(super) fn enter<'a>(
        &self,
        way: &'a Way,
        mark: Mark<'a>,
        up: Option<&Context>,
        patience: Patience,
    ) -> Result<Entered<'a>, Refused> {
        match way.enter(mark, Light::get(), false) {
            Err(Refused::Busy | Refused::HeldOff) => self.wait(way, mark, up, patience),
            entered => entered,
        }
    }

    #[cfg(feature = "std")]
    #[cold]
    pub(super) fn wait<'a>(
        &self,
        way: &'a Way,
        mark: Mark<'a>,
        up: Option<&Context>,
        patience: Patience,
    ) -> Result<Entered<'a>, Refused> {
        super::wait::wait(self.address(), way, mark, up, patience)
    }

    /// Without std nobody waits: whoever is inside may be what this call has interrupted.
    #[cfg(not(feature = "std"))]
    pub(super) fn wait<'a>(
        &self,
        way: &'a Way,
        mark: Mark<'a>,
        up: Option<&Context>,
        _: Patience,
    ) -> Result<Entered<'a>, Refused> {
        use crate::runtime::word::Access;
        match up.and_then(|up| up.holds(self.address(), &way.instance().place)) {
            Some(Access::Shared) if way.access == Access::Shared => way.enter(mark, Light::get(), true),
            _ => Err(Refused::Busy),
        }
    }

    #[cold]
    pub(super) fn busy(&self, up: Option<&Context>, instance: &Instance) -> IpcError {
        let mut chain = match up {
            Some(up) if up.holds(self.address(), &instance.place).is_some() => up.chain() + " -> ",
            _ => String::new(),
        };
        chain.push_str(instance.name());
        IpcError::Busy { chain }
    }

    #[cold]
    fn failure(
        &self,
        status: Status,
        fault: Option<ModuleError>,
        instance: &Instance,
        entry: &RequestEntry,
        call: &Call<'_, '_>,
        cx: &Context,
    ) -> IpcError {
        let request = || format!("{}.{}", instance.name(), call.request);
        let codec = || match entry.call {
            RequestFn::Typed(_, codec) => codec,
            RequestFn::Raw(_) => Codec::of::<(), ()>(),
        };
        match status {
            Status::Ignored | Status::Deferred => {
                IpcError::NotSupported { module: instance.name().into(), request: call.request.into() }
            }
            Status::Malformed => {
                IpcError::Malformed { what: "arguments", request: request(), expected: codec().args() }
            }
            Status::BadReply => IpcError::Malformed {
                what: "reply",
                request: request(),
                expected: call.carries.reply_shape().unwrap_or_else(|| codec().reply()),
            },
            Status::Full => IpcError::BufferFull { request: request() },
            Status::Mismatch => match call.carries.codec().map(|codec| self.agrees(instance, entry, codec)) {
                Some(Err(error)) => error,
                _ => IpcError::NotSupported { module: instance.name().into(), request: call.request.into() },
            },
            Status::Handled | Status::Failed | Status::Panicked => IpcError::Failed {
                module: instance.name().into(),
                request: call.request.into(),
                error: Box::new(fault.unwrap_or_else(|| cx.take_fault())),
            },
        }
    }

    fn agrees(&self, instance: &Instance, request: &RequestEntry, codec: &Codec) -> IpcResult<()> {
        let RequestFn::Typed(_, handler) = &request.call else { return Ok(()) };
        codec.agrees(handler).map_err(|(what, found, expected)| IpcError::SchemaMismatch {
            what,
            request: format!("{}.{}", instance.name(), request.name),
            found,
            expected,
        })
    }

    fn request_not_found(&self, names: &Names, target: &str, request: &str) -> IpcError {
        let known = names.of(target);
        IpcError::RequestNotFound {
            module: target.into(),
            request: request.into(),
            known: if known.is_empty() { "none".into() } else { known.join(", ") },
        }
    }

    pub(super) fn too_deep(&self, cx: &Context) -> Option<IpcError> {
        (cx.depth() >= self.settings.depth_limit).then(|| IpcError::TooDeep {
            limit: self.settings.depth_limit,
            chain: cx.up().map_or_else(String::new, Context::chain),
        })
    }

    /// Runs with the view as it is now.
    pub(super) fn with_view<T>(&self, run: impl FnOnce(&View) -> T) -> T {
        let here = self.calls.here(None);
        // SAFETY: `self` and the calls that led here outlive this one.
        let cx = unsafe { Context::new(&self.root, self, here.up()) };
        let (_, guard) = here.enter(NonNull::from(&cx));
        run(self.view(guard.keeps()))
    }

    /// Whether who calls may ask for what needs a permission: a module that lists it, or nobody's.
    #[cold]
    fn permits(
        &self,
        up: Option<&Context>,
        instance: &Instance,
        request: &str,
        permission: &'static str,
    ) -> IpcResult<()> {
        let Some(caller) = up.map(Context::place).filter(|place| !core::ptr::eq(*place, &self.root)) else {
            return Ok(());
        };
        if caller.permissions.contains(&permission) {
            return Ok(());
        }
        let request = format!("{}.{request}", instance.name());
        Err(IpcError::Denied { caller: caller.name.into(), request, permission })
    }
}

impl Inner {
    /// Whether who calls may send such a request, as far as it is known before it is sent.
    pub(super) fn may_ask(&self, up: Option<&Context>, target: &str, request: &str) -> IpcResult<()> {
        let route = self.resolve(target, request)?;
        self.with_view(|view| match view.names.target(route) {
            Some(found) => match found.request.permission {
                Some(permission) => self.permits(up, found.way.instance(), request, permission),
                None => Ok(()),
            },
            None => Err(IpcError::ModuleNotFound { name: target.into() }),
        })
    }

    /// The same request of the one that follows a module, where a replacement has it started already and asks on behalf of
    /// another one that it starts.
    #[cold]
    fn follower(&self, up: Option<&Context>, instance: &Instance, request: &str) -> Option<Following> {
        if !up?.is_of_transition(self.address()) {
            return None;
        }
        let followers = self.followers.lock();
        let found = followers.iter().find(|follower| core::ptr::eq(&*follower.old, instance))?;
        let (entry, request, access) = found.new.requests().find(|(_, known, _)| known.name == request)?;
        let way = Way::to(&found.new, Some(entry), access);
        Some(Following { way, request, _instance: found.new.clone() })
    }

    fn find_route(&self, target: &str, request: &str) -> IpcResult<Route> {
        self.with_view(|view| {
            let names = &view.names;
            let found = names.find(target, request).or_else(|| names.find(target, ANY_REQUEST));
            if let Some(route) = found {
                return Ok(route);
            }
            if names.module(target).is_none() {
                return Err(IpcError::ModuleNotFound { name: target.into() });
            }
            Err(self.request_not_found(names, target, request))
        })
    }
}

/// A request of an instance that no table names yet.
struct Following {
    way: Way,
    request: &'static RequestEntry,
    _instance: Arc<Instance>,
}

impl Host for Inner {
    fn config(&self, place: &Place, key: &str) -> Option<&str> {
        self.config.value(place.name, key)
    }

    fn log(&self, place: &Place, level: log::Level, text: fmt::Arguments<'_>) {
        log::log!(target: place.name, level, "{text}");
    }

    #[inline]
    fn publish(&self, from: Option<&Context>, delivery: &Delivery<'_>) -> PublishResult {
        irq::assert_task_level("`publish`");
        self.publish_unless(true, from, delivery, |_| true, Patience::ENDLESS)
    }

    fn subscribe(&self, owner: Option<&Place>, subscription: EventSubscription) -> IpcResult<SubscriptionId> {
        self.add_listener(owner, subscription)
    }

    fn unsubscribe(&self, subscription: SubscriptionId) -> IpcResult<()> {
        self.remove_listener(subscription)
    }

    fn resolve(&self, target: &str, request: &str) -> IpcResult<Route> {
        let (missed, on_missing) = match (self.find_route(target, request), &self.settings.on_missing) {
            (Err(missed @ IpcError::ModuleNotFound { .. }), Some(on_missing)) => (missed, on_missing),
            (found, _) => return found,
        };
        match on_missing(target) {
            Missing::Nobody => Err(missed),
            Missing::Added => self.find_route(target, request),
            Missing::Waits => Err(IpcError::NotRunning { module: target.into(), state: ModuleState::Registered }),
        }
    }

    fn agree(&self, route: Route, codec: &Codec) -> IpcResult<()> {
        self.with_view(|view| {
            let Some(target) = view.names.target(route) else { return Ok(()) };
            self.agrees(target.way.instance(), target.request, codec)
        })
    }

    fn call_directly(&self, from: Option<&Context>, to: &To<'_>, call: &mut TypedCall<'_>) -> Direct {
        self.direct(from, to, call)
    }

    fn call(&self, from: Option<&Context>, route: Route, call: &mut Call<'_, '_>) -> IpcResult<()> {
        irq::assert_task_level("a request");
        let here = self.calls.here(from);
        // SAFETY: `self` and the calls that led here outlive this one.
        let mut cx = unsafe { Context::new(&self.root, self, here.up()) };
        let given = call.timeout.filter(|timeout| cx.bound(Patience::of(*timeout)));
        let patience = cx.patience();
        if let Some(error) = self.too_deep(&cx) {
            return Err(error);
        }
        let (up, depth) = (cx.up_link(), cx.depth());
        // SAFETY: the calls that led here outlive this one.
        let up = up.map(|up| unsafe { up.as_ref() });
        let link = NonNull::from(&mut cx);
        let (under, guard) = here.enter(link);
        let follower: OnceCell<Following> = OnceCell::new();
        loop {
            let view = self.view(guard.keeps());
            let Some(target) = view.names.target(route) else {
                let pair = view.names.pair(route);
                return Err(match pair {
                    Some(pair) if view.names.module(&pair.target).is_some() => {
                        self.request_not_found(&view.names, &pair.target, call.request)
                    }
                    pair => IpcError::ModuleNotFound { name: pair.map_or("", |pair| &pair.target).into() },
                });
            };
            let (way, request) = match follower.get() {
                Some(follower) => (&follower.way, follower.request),
                None => (&target.way, target.request),
            };
            let instance = way.instance();
            if up.is_some_and(|up| up.patience().is_late()) {
                return Err(IpcError::Timeout { target: instance.name().into(), waited: Duration::ZERO });
            }
            if let Some(permission) = request.permission {
                self.permits(up, instance, call.request, permission)?;
            }
            let entered = match self.enter(way, under.mark(depth), up, patience) {
                Ok(entered) => entered,
                // It was replaced meanwhile: its successor answers.
                Err(Refused::NotRunning) if !core::ptr::eq(self.view(guard.keeps()), view) => continue,
                Err(Refused::NotRunning) => {
                    return Err(IpcError::NotRunning { module: instance.name().into(), state: instance.state() });
                }
                Err(Refused::Late(waited)) => {
                    let waited = given.unwrap_or(waited);
                    return Err(IpcError::Timeout { target: instance.name().into(), waited });
                }
                Err(Refused::Busy | Refused::HeldOff) => {
                    if follower.get().is_none()
                        && let Some(found) = self.follower(up, instance, request.name)
                    {
                        follower.get_or_init(|| found);
                        continue;
                    }
                    return Err(self.busy(up, instance));
                }
            };
            // SAFETY: nobody looks at the link before the handler does, and the place lives while it is entered.
            unsafe { (*link.as_ptr()).turn_to(&instance.place, Hold::Place(way.access)) };
            // SAFETY: as above; it is only looked at until the handler has returned.
            let cx = unsafe { link.as_ref() };
            // SAFETY: `request` is an entry of this instance, and `access` is its own.
            let status = unsafe { entered.request(&request.call, call.request, call.carries, cx) };
            let access = way.access;
            let result = match status {
                Status::Handled => {
                    self.leave(access, entered, Link(link), instance);
                    return Ok(());
                }
                Status::Panicked => {
                    let fault = self.crashed(entered, cx);
                    Err(self.failure(status, Some(fault), instance, request, call, cx))
                }
                _ => {
                    drop(entered);
                    Err(self.failure(status, None, instance, request, call, cx))
                }
            };
            self.release(access, Link(link), instance);
            return result;
        }
    }

    fn handle(&self) -> Handle {
        Handle::new(self.this.clone())
    }

    #[cfg(feature = "std")]
    fn ended(&self, instance: usize, error: crate::error::ModuleError) {
        let found = self.in_order().into_iter().find(|known| known.address() == instance);
        if let Some(instance) = found {
            self.ended_by_itself(&instance, &error);
        }
    }

    #[cfg(feature = "std")]
    fn in_turn(&self, instance: usize, run: Deliver<'_>) -> bool {
        self.run_in_turn(instance, run)
    }

    #[cfg(feature = "std")]
    fn native(&self, event: &str) -> Option<Native> {
        self.with_view(|view| view.topics.native(event))
    }
}
