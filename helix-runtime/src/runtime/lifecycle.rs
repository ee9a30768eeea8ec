//! The steps of a life, in the order of dependencies. Only the runtime moves a module on, one transition at a time.

use alloc::boxed::Box;
use alloc::string::{String, ToString};
use alloc::sync::Arc;
use alloc::vec;
use alloc::vec::Vec;
use core::fmt;
use core::time::Duration;

use crate::context::{Context, Hold, ModuleId};
use crate::descriptor::{Descriptor, Entry, EntryKind, Status, Step};
use crate::error::{IpcError, ModuleError, ModuleResult, ModuleState};
use crate::event::{HealthCheck, ModuleLoaded, ModuleUnloaded, Publish, Shutdown, in_event};
use crate::handwritten::{self, ModuleTrait};
use crate::runtime::Runtime;
use crate::runtime::faults::{BuildError, BuildFault, check_keys};
use crate::runtime::gate::Gate;
use crate::runtime::inner::{Inner, Postponed, UnderWay};
use crate::runtime::instance::{Door, Instance};
#[cfg(feature = "std")]
use crate::runtime::patience::Backoff;
use crate::runtime::patience::Patience;
use crate::runtime::plan::Plan;
use crate::runtime::registry::Registry;
use crate::runtime::supervise::Supervised;
use crate::runtime::word::{Access, Refused};
use crate::set::Fault;

/// Why a module could not be moved on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LifecycleError {
    /// The module that failed.
    pub module: String,
    /// The step that failed, such as `create`, `on_init`, `drain` or `on_stop`.
    pub step: &'static str,
    /// What went wrong.
    pub error: ModuleError,
}

impl LifecycleError {
    pub(super) fn new(module: &str, step: &'static str, error: impl Into<ModuleError>) -> Self {
        Self { module: module.to_string(), step, error: error.into() }
    }
}

impl fmt::Display for LifecycleError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "module `{}`, {}: {}", self.module, self.step, self.error)
    }
}

impl core::error::Error for LifecycleError {
    fn source(&self) -> Option<&(dyn core::error::Error + 'static)> {
        Some(&self.error)
    }
}

/// When a transition takes place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Transition {
    /// It has.
    Done,
    /// It was asked for from inside the modules that it concerns, so that it waits: the next [`Runtime::poll`] does it.
    Postponed,
}

/// What a module says of itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ModuleHealth {
    /// The module's name.
    pub module: &'static str,
    /// Whether it runs and says that it is well.
    pub healthy: bool,
    /// Why not, where there is more to say.
    pub reason: Option<ModuleError>,
}

/// How long `health` waits for a module.
const HEALTH_PATIENCE: Duration = Duration::from_secs(1);

/// One transition at a time; the guard ends it.
pub(super) struct Moving<'a>(&'a Inner);

impl Drop for Moving<'_> {
    fn drop(&mut self) {
        *self.0.moving.lock() = None;
    }
}

impl Runtime {
    /// Creates, configures, initializes, restores and starts every module, each after what it needs.
    ///
    /// # Errors
    /// When a module fails, those that this call had started are stopped in reverse, and the failure is returned.
    pub fn start(&self) -> Result<(), LifecycleError> {
        let inner = &*self.inner;
        let _moving = inner.begin("helix", "start")?;
        inner.complete_plan()?;
        let order = inner.in_order();
        for (started, instance) in order.iter().enumerate() {
            if let Err(error) = inner.needs_run(instance).and_then(|()| inner.start_one(instance)) {
                for before in order[..started].iter().rev() {
                    if let Err(error) = inner.stop_one(before) {
                        log::error!(target: "helix", "while unwinding: {error}");
                    }
                }
                return Err(error);
            }
        }
        *inner.started.lock() = true;
        Ok(())
    }

    /// Publishes [`Shutdown`], then stops every running module, each before what it needs.
    ///
    /// # Errors
    /// The first failure; a module whose `on_stop` fails is failed, and the others are stopped all the same. A module
    /// that stays busy for [`Builder::drain_timeout`](crate::Builder::drain_timeout) ends the call: it and what it needs
    /// run on.
    pub fn stop(&self) -> Result<(), LifecycleError> {
        let inner = &*self.inner;
        let _moving = inner.begin("helix", "stop")?;
        *inner.started.lock() = false;
        let patience = Patience::of(inner.settings.drain_timeout);
        let heard = Shutdown.deliver(|delivery| inner.publish_to(None, delivery, |_| true, patience));
        if !heard.is_clean() {
            log::warn!(target: "helix", "shutdown was not heard by all: {heard:?}");
        }
        let mut first = None;
        for instance in inner.in_order().iter().rev() {
            inner.supervised(instance, Supervised::does_not_wait);
            if let Err(error) = inner.stop_one(instance) {
                first.get_or_insert(error);
                if instance.is_running() {
                    break;
                }
            }
        }
        first.map_or(Ok(()), Err)
    }

    /// Starts one module that was stopped, or that came later. What it needs must run.
    ///
    /// # Errors
    /// When it cannot start, or what it needs does not run.
    pub fn start_module(&self, id: ModuleId) -> Result<(), LifecycleError> {
        let inner = &*self.inner;
        let instance = inner.find(id, "start")?;
        let _moving = inner.begin(instance.name(), "start")?;
        inner.needs_run(&instance)?;
        inner.start_one(&instance)
    }

    /// Stops one module that nobody needs who runs. It can be started again.
    ///
    /// # Errors
    /// When it is needed or essential, stays busy, or its `on_stop` fails.
    pub fn stop_module(&self, id: ModuleId) -> Result<(), LifecycleError> {
        let inner = &*self.inner;
        let instance = inner.find(id, "stop")?;
        let _moving = inner.begin(instance.name(), "stop")?;
        inner.may_go(&instance, "stop")?;
        inner.supervised(&instance, Supervised::does_not_wait);
        inner.stop_one(&instance)
    }

    /// Adds a hand-written module. If the runtime has been started, it is started too.
    ///
    /// # Errors
    /// When it does not fit the others, or cannot start; it is not there then.
    pub fn add(&self, module: Box<dyn ModuleTrait>) -> Result<ModuleId, LifecycleError> {
        let descriptor = handwritten::descriptor(module.info());
        self.inner.add(descriptor, Some(module))
    }

    /// Adds a module. If the runtime has been started, it is started too.
    ///
    /// # Errors
    /// When it does not fit the others, or cannot start; it is not there then.
    pub fn add_descriptor(&self, descriptor: &'static Descriptor) -> Result<ModuleId, LifecycleError> {
        self.inner.add(*descriptor, None)
    }

    /// Stops and destroys a module that nobody needs. Who sent it messages that are still waiting is told.
    ///
    /// Asked for from inside the module's own handlers it waits for the next [`Runtime::poll`].
    ///
    /// # Errors
    /// When it is needed or essential, or stays busy; it runs on then. When its `on_stop` fails it is gone all the same.
    pub fn remove(&self, id: ModuleId) -> Result<Transition, LifecycleError> {
        self.inner.remove(id)
    }

    /// Asks every module how it is, and publishes a [`HealthCheck`] for each.
    ///
    /// A module that stays busy for a second is not well, and the reason says so.
    pub fn health(&self) -> Vec<ModuleHealth> {
        self.inner.health()
    }
}

impl Inner {
    /// Begins a transition. With `std`, a thread that is not inside a call waits for another thread's to end.
    pub(super) fn begin(&self, module: &str, step: &'static str) -> Result<Moving<'_>, LifecycleError> {
        let what = alloc::format!("{step} of `{module}`");
        let fail = |under_way| Err(LifecycleError::new(module, step, ModuleError::Moving { under_way }));
        #[cfg(feature = "std")]
        {
            let (patience, mut backoff) = (Patience::of(self.settings.drain_timeout), Backoff::new());
            while let Err((under_way, is_own)) = self.try_begin(&what) {
                if self.up_context().is_some() || is_own || patience.is_over() {
                    return fail(under_way);
                }
                backoff.wait();
            }
            Ok(Moving(self))
        }
        #[cfg(not(feature = "std"))]
        self.try_begin(&what).map(|()| Moving(self)).or_else(|(under_way, _)| fail(under_way))
    }

    /// Begins if no other transition is under way; else tells which, and whether it is this thread's own.
    fn try_begin(&self, what: &str) -> Result<(), (String, bool)> {
        let mut moving = self.moving.lock();
        match &*moving {
            Some(under_way) => Err((under_way.what.clone(), under_way.is_own())),
            None => {
                *moving = Some(UnderWay::new(what.to_string()));
                Ok(())
            }
        }
    }

    /// The same, without waiting.
    pub(super) fn begin_at_once(&self, step: &'static str) -> Result<Moving<'_>, ()> {
        let mut moving = self.moving.lock();
        if moving.is_some() {
            return Err(());
        }
        *moving = Some(UnderWay::new(step.to_string()));
        Ok(Moving(self))
    }

    /// Runs `run` as a call of that module, so that what it asks for carries the chain.
    pub(super) fn on_behalf<T>(
        &self,
        instance: &Instance,
        hold: Hold,
        run: impl FnOnce(&Context) -> ModuleResult<T>,
    ) -> ModuleResult<T> {
        // SAFETY: `self`, the instance and the calls that led here outlive this one.
        let mut cx = unsafe { Context::new(&instance.place, self, self.up(None)) };
        if let Some(error) = self.too_deep(&cx) {
            return Err(error.into());
        }
        // SAFETY: as above.
        unsafe { cx.turn_to(&instance.place, hold) };
        let _under = self.calls.enter((&cx).into());
        run(&cx)
    }

    /// Runs a step of an instance that a transition has to itself.
    pub(super) fn step(&self, instance: &Instance, step: Step, hold: Hold) -> Result<(), LifecycleError> {
        self.on_behalf(instance, hold, |cx| instance.step(step, cx))
            .map_err(|error| LifecycleError::new(instance.name(), step.attribute(), error))
    }

    pub(super) fn find(&self, id: ModuleId, step: &'static str) -> Result<Arc<Instance>, LifecycleError> {
        let registry = self.registry();
        let found = registry.index(id).map(|at| registry.members[at].instance.clone());
        let name = id.to_string();
        found.ok_or_else(|| LifecycleError::new(&name, step, IpcError::ModuleNotFound { name: name.clone() }))
    }

    /// The modules, which of them were written by hand, and whether others may come later: a copy, because to plan is to
    /// ask the configuration, which is the user's. Only a transition changes it.
    pub(super) fn known(&self) -> (Vec<(Descriptor, bool)>, bool) {
        let registry = self.registry();
        let known = registry.members.iter().map(|member| (member.instance.descriptor, member.written));
        (known.collect(), registry.open)
    }

    /// What may have come later must be there now, and what was removed since is missed.
    fn complete_plan(&self) -> Result<(), LifecycleError> {
        let (known, open) = self.known();
        if !open {
            let registry = self.registry();
            let missing: Vec<_> = (0..registry.members.len()).flat_map(|at| registry.missing(at)).collect();
            return if missing.is_empty() { Ok(()) } else { Err(unfit("helix", "start", missing)) };
        }
        let (plan, mut faults) = Plan::new(&set_of(&known), &*self.config, false);
        check_keys(&*self.config, &known, false, &mut faults);
        if !faults.is_empty() {
            return Err(unfit("helix", "start", faults));
        }
        let mut registry = self.registry();
        registry.follow(plan);
        self.install(registry, vec![]);
        Ok(())
    }

    /// Creates, configures and initializes an instance; it ends up `Initialized`, or failed.
    fn prepare(&self, instance: &Instance) -> Result<(), LifecycleError> {
        self.make(instance)?;
        let Some(state) = self.states.iter().find(|state| state.module == instance.name()) else { return Ok(()) };
        let restored = self.on_behalf(instance, Hold::Place(Access::Free), |cx| self.restore(instance, state, cx));
        restored.map_err(|error| {
            instance.fail();
            LifecycleError::new(instance.name(), "on_restore", error)
        })
    }

    /// The same without any state.
    pub(super) fn make(&self, instance: &Instance) -> Result<(), LifecycleError> {
        let name = instance.name();
        let make = || {
            instance.create().map_err(|error| LifecycleError::new(name, "create", error))?;
            let configured = instance.configure(|key| self.config.value(name, key));
            configured.map_err(|error| LifecycleError::new(name, "config", error))?;
            instance.move_to(ModuleState::Created).map_err(|error| LifecycleError::new(name, "create", error))?;
            self.step(instance, Step::Init, Hold::Place(Access::Free))?;
            instance.move_to(ModuleState::Initialized).map_err(|error| LifecycleError::new(name, "on_init", error))
        };
        make().inspect_err(|_| instance.fail())
    }

    pub(super) fn start_one(&self, instance: &Instance) -> Result<(), LifecycleError> {
        match instance.state() {
            ModuleState::Registered => self.prepare(instance)?,
            ModuleState::Initialized | ModuleState::Stopped => {}
            found => {
                let expected = ModuleState::Registered;
                let error = ModuleError::WrongState { module: instance.name().to_string(), found, expected };
                return Err(LifecycleError::new(instance.name(), "start", error));
            }
        }
        self.step(instance, Step::Start, Hold::Place(Access::Free)).inspect_err(|_| instance.fail())?;
        instance.open().map_err(|error| LifecycleError::new(instance.name(), "on_start", error))?;
        self.registry().open_closures_of(instance);
        self.supervised(instance, Supervised::is_back);
        self.introduce(instance);
        Ok(())
    }

    /// Tells a module that has started of those that run already, then everyone of it.
    pub(super) fn introduce(&self, instance: &Instance) {
        for other in self.in_order() {
            if other.slot.id != instance.slot.id && other.is_running() {
                let name = in_event(other.name());
                let heard = ModuleLoaded { name }.deliver(|delivery| {
                    self.publish_to(None, delivery, |listener| core::ptr::eq(listener, instance), Patience::ENDLESS)
                });
                if !heard.is_clean() {
                    log::warn!(target: instance.name(), "did not hear that `{}` is there: {heard:?}", other.name());
                }
            }
        }
        self.announce(None, |name| ModuleLoaded { name }, instance, Patience::ENDLESS);
    }

    /// Stops an instance that runs, once nobody is inside.
    pub(super) fn stop_one(&self, instance: &Arc<Instance>) -> Result<(), LifecycleError> {
        // It never ran, or a panic has ended it.
        if !instance.is_running() {
            return Ok(());
        }
        let name = instance.name();
        if let Some(up) = self.up_context().filter(|up| up.holds(self.address(), &instance.place).is_some()) {
            return Err(LifecycleError::new(name, "on_stop", self.busy(Some(up), instance)));
        }
        let gate = match Gate::close(self, vec![instance.clone()], self.settings.drain_timeout) {
            Ok(gate) => gate,
            // It has failed meanwhile.
            Err(_) if !instance.is_running() => return Ok(()),
            Err(error) => return Err(LifecycleError::new(name, "drain", error)),
        };
        let result = self.step(instance, Step::Stop, Hold::Gated);
        if result.is_err() || instance.move_to(ModuleState::Stopped).is_err() {
            instance.fail();
        }
        gate.shut(instance);
        drop(gate);
        for closure in self.closures_of(instance) {
            self.vacate(&closure);
        }
        let patience = Patience::of(self.settings.drain_timeout);
        self.announce(None, |name| ModuleUnloaded { name }, instance, patience);
        result
    }

    /// Closes an instance without a lock, and waits until nobody is inside; see `wait_until_empty`.
    pub(super) fn vacate(&self, instance: &Instance) -> bool {
        instance.word.close();
        self.wait_until_empty(instance)
    }

    /// Waits until nobody is inside, unless that may be this very call. Whether nobody is.
    pub(super) fn wait_until_empty(&self, instance: &Instance) -> bool {
        if self.up_context().is_some() {
            return false;
        }
        let patience = Patience::of(self.settings.drain_timeout);
        #[cfg(feature = "std")]
        let mut backoff = Backoff::new();
        while let Some(inside) = self.calls.inside(instance.address()) {
            if patience.is_over() {
                log::warn!(target: instance.name(), "thread {} is still inside", inside.thread);
                return false;
            }
            #[cfg(feature = "std")]
            backoff.wait();
        }
        true
    }

    /// Whether a module may go: nobody needs it, and it is not essential while the system runs.
    fn may_go(&self, instance: &Instance, step: &'static str) -> Result<(), LifecycleError> {
        let registry = self.registry();
        let module = instance.name().to_string();
        let error = if instance.descriptor.info.flags.contains(crate::ModuleFlags::ESSENTIAL) && *self.started.lock() {
            ModuleError::Essential { module }
        } else {
            let by = registry.index(instance.slot.id).map(|at| registry.needed_by(at)).unwrap_or_default();
            if by.is_empty() {
                return Ok(());
            }
            ModuleError::Needed { module, by }
        };
        Err(LifecycleError::new(instance.name(), step, error))
    }

    /// Whether everything that a module needs runs.
    pub(super) fn needs_run(&self, instance: &Instance) -> Result<(), LifecycleError> {
        let registry = self.registry();
        let at = registry.index(instance.slot.id);
        let missing = at.map(|at| registry.missing(at)).unwrap_or_default();
        if !missing.is_empty() {
            return Err(unfit(instance.name(), "start", missing));
        }
        let needs = at.map(|at| registry.needs(at)).unwrap_or_default();
        let waiting = needs.into_iter().find(|(needed, optional)| !optional && !needed.is_running());
        waiting.map_or(Ok(()), |(needed, _)| Err(LifecycleError::new(instance.name(), "start", needed.not_running())))
    }

    fn add(&self, descriptor: Descriptor, written: Option<Box<dyn ModuleTrait>>) -> Result<ModuleId, LifecycleError> {
        let name = descriptor.info.name;
        let moving = self.begin(name, "add")?;
        let started = *self.started.lock();
        let (mut known, open) = self.known();
        known.push((descriptor, written.is_some()));
        let (plan, mut faults) = Plan::new(&set_of(&known), &*self.config, open && !started);
        // Of the keys only those count that are its own: it may be one of several that come later.
        check_keys(&*self.config, &[(descriptor, written.is_some())], true, &mut faults);
        if !faults.is_empty() {
            return Err(unfit(name, "add", faults));
        }
        let mut registry = self.registry();
        if registry.endpoint(name).is_some() {
            return Err(LifecycleError::new(name, "add", IpcError::Taken { name: name.to_string() }));
        }
        let instance = registry.add(descriptor, written, &self.settings);
        registry.follow(plan);
        self.install(registry, vec![]);
        if started && let Err(error) = self.needs_run(&instance).and_then(|()| self.start_one(&instance)) {
            self.take_out(&instance);
            drop(moving);
            self.close_mailbox(&instance.slot, instance.name());
            return Err(error);
        }
        Ok(instance.slot.id)
    }

    pub(super) fn remove(&self, id: ModuleId) -> Result<Transition, LifecycleError> {
        let instance = self.find(id, "remove")?;
        let moving = self.begin(instance.name(), "remove")?;
        self.may_go(&instance, "remove")?;
        if self.is_inside(core::slice::from_ref(&instance)) {
            drop(moving);
            self.postponed.lock().push_back(Postponed::Remove(id));
            return Ok(Transition::Postponed);
        }
        let stopped = self.stop_one(&instance);
        if instance.is_running() {
            return stopped.map(|()| Transition::Done);
        }
        self.take_out(&instance);
        drop(moving);
        // Who is told may ask for a transition in turn.
        self.close_mailbox(&instance.slot, instance.name());
        stopped.map(|()| Transition::Done)
    }

    /// Whether the call that asks is inside one of them. Without `std` any call may be.
    pub(super) fn is_inside(&self, instances: &[Arc<Instance>]) -> bool {
        match self.up_context() {
            Some(up) => instances.iter().any(|instance| up.holds(self.address(), &instance.place).is_some()),
            None => cfg!(not(feature = "std")) && self.calls.inside(0).is_some(),
        }
    }

    /// Takes a module that does not run out of the registry, with all that is its own but its mailbox.
    fn take_out(&self, instance: &Arc<Instance>) {
        let (plan, at) = {
            let (mut known, _) = self.known();
            let Some(at) = self.registry().index(instance.slot.id) else { return };
            known.remove(at);
            (Plan::new(&set_of(&known), &*self.config, true).0, at)
        };
        let mut registry = self.registry();
        let member = registry.members.remove(at);
        let mut gone = registry.unsubscribe_all(instance);
        registry.follow(plan);
        gone.push(member.instance);
        let closures: Vec<_> = gone.clone();
        self.install(registry, gone);
        for closure in closures {
            self.vacate(&closure);
        }
        self.unload(instance);
        self.reclaim();
    }

    /// Destroys a closed instance at once if nobody can be inside; else it goes when every call has ended.
    pub(super) fn unload(&self, instance: &Instance) {
        if instance.word.is_vacant() && self.calls.inside(instance.address()).is_none() {
            // SAFETY: the word is closed, with nobody counted inside, and no mark was found after it was closed.
            unsafe { instance.destroy() };
        }
        if let Err(error) = instance.move_to(ModuleState::Unloaded) {
            log::debug!(target: instance.name(), "{error}");
        }
    }

    pub(super) fn health(&self) -> Vec<ModuleHealth> {
        let ask = |instance: &Arc<Instance>| {
            let (healthy, reason) = match self.ask(instance, |instance| self.ask_health(instance)) {
                Ok(healthy) => (healthy, None),
                Err(error) => (false, Some(error)),
            };
            let patience = Patience::of(HEALTH_PATIENCE);
            self.announce(None, |name| HealthCheck { name, healthy }, instance, patience);
            ModuleHealth { module: instance.name(), healthy, reason }
        };
        let all = self.in_order();
        all.iter().map(ask).collect()
    }

    fn ask_health(&self, instance: &Instance) -> ModuleResult<bool> {
        let is_health = |entry: &&&Entry| matches!(entry.kind, EntryKind::Step(Step::Health, _));
        let handler = instance.entries.iter().find(is_health).copied();
        self.inside(instance, handler, Patience::of(HEALTH_PATIENCE), |cx| match instance.health(cx) {
            Status::Handled => Ok(Ok(true)),
            Status::Ignored => Ok(Ok(false)),
            Status::Panicked => Err(Panicked),
            _ => Ok(Err(cx.take_fault())),
        })
    }

    /// Asks an instance something, and its successor if it was replaced meanwhile.
    pub(super) fn ask<T>(
        &self,
        instance: &Arc<Instance>,
        ask: impl Fn(&Instance) -> ModuleResult<T>,
    ) -> ModuleResult<T> {
        let mut asked = instance.clone();
        loop {
            let answer = ask(&asked);
            if !matches!(answer, Err(ModuleError::WrongState { .. } | ModuleError::Ipc(IpcError::NotRunning { .. }))) {
                return answer;
            }
            match self.find(asked.slot.id, "ask") {
                Ok(serving) if !Arc::ptr_eq(&serving, &asked) => asked = serving,
                _ => return answer,
            }
        }
    }

    /// Enters a running module from outside of its handlers, runs `run` as a call of it, and leaves.
    pub(super) fn inside<T>(
        &self,
        instance: &Instance,
        handler: Option<&'static Entry>,
        patience: Patience,
        run: impl FnOnce(&Context) -> Result<ModuleResult<T>, Panicked>,
    ) -> ModuleResult<T> {
        let access = instance.access(handler.is_some_and(|entry| entry.exclusive));
        let up = self.up_context();
        // SAFETY: `self`, the instance and the calls that led here outlive this one.
        let mut cx = unsafe { Context::new(&instance.place, self, self.up(None)) };
        if let Some(error) = self.too_deep(&cx) {
            return Err(error.into());
        }
        let link = core::ptr::NonNull::from(&mut cx);
        let under = self.calls.enter(link);
        // SAFETY: the link lies on this stack.
        let depth = unsafe { link.as_ref() }.depth();
        let door = Door { handler, access, under: &under, depth };
        let entered = self.enter(instance, &door, up, patience).map_err(|refused| match refused {
            Refused::NotRunning => instance.not_running(),
            _ => self.busy(up, instance).into(),
        })?;
        // SAFETY: nobody has looked at the link yet.
        unsafe { (*link.as_ptr()).turn_to(&instance.place, Hold::Place(access)) };
        // SAFETY: from here on it is only looked at.
        let cx = unsafe { link.as_ref() };
        match run(cx) {
            Ok(result) => {
                drop(entered);
                result
            }
            Err(Panicked) => Err(self.crashed(entered, instance, cx)),
        }
    }

    /// Stops what still runs, because the runtime goes.
    pub(super) fn end(&self) {
        for instance in self.in_order().iter().rev() {
            if instance.is_running() {
                instance.word.close();
                if let Err(error) = self.step(instance, Step::Stop, Hold::Place(Access::Free)) {
                    log::error!(target: instance.name(), "{error}");
                }
                let moved = instance.move_to(ModuleState::Stopped);
                debug_assert!(moved.is_ok());
            }
        }
        for slot in self.slots() {
            self.close_mailbox(&slot, "helix");
        }
    }
}

/// A handler has panicked; what it said is in the context.
pub(super) struct Panicked;

pub(super) fn set_of(known: &[(Descriptor, bool)]) -> Vec<&Descriptor> {
    known.iter().map(|(descriptor, _)| descriptor).collect()
}

pub(super) fn unfit(module: &str, step: &'static str, faults: Vec<BuildFault>) -> LifecycleError {
    LifecycleError::new(module, step, ModuleError::Unfit(Box::new(BuildError { faults })))
}

impl Registry {
    /// What a module needs and nobody is or provides, because it has not come yet or was removed.
    fn missing(&self, module: usize) -> Vec<BuildFault> {
        let info = &self.members[module].instance.descriptor.info;
        let needs = info.dependencies.iter().zip(&self.plan.needs[module]);
        let missing = needs.filter(|(dependency, met)| met.is_none() && !dependency.optional);
        missing.map(|(dependency, _)| BuildFault::Set(Fault::Missing { module: info.name, dependency })).collect()
    }

    /// What a module needs, and whether it can do without.
    pub(super) fn needs(&self, module: usize) -> Vec<(Arc<Instance>, bool)> {
        let dependencies = self.members[module].instance.descriptor.info.dependencies.iter();
        let needs = self.plan.needs[module].iter().zip(dependencies);
        let met = needs.filter_map(|(met, dependency)| Some(((*met)?, dependency.optional)));
        met.map(|(met, optional)| (self.members[met].instance.clone(), optional)).collect()
    }
}
