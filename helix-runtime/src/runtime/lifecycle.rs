//! The steps of a life, in the order of dependencies. Only the runtime moves a module on, one transition at a time.

use alloc::boxed::Box;
use alloc::string::{String, ToString};
use alloc::sync::Arc;
use alloc::vec;
use alloc::vec::Vec;
use core::fmt;

use crate::context::{Context, Hold};
use crate::descriptor::{Descriptor, Step};
use crate::error::{IpcError, ModuleError, ModuleResult, ModuleState};
use crate::event::{ModuleLoaded, ModuleUnloaded, Publish, Shutdown, in_event};
use crate::host::Host;
use crate::place::ModuleId;
use crate::runtime::faults::{BuildError, BuildFault, check_keys};
use crate::runtime::gate::Gate;
use crate::runtime::inner::{Inner, UnderWay};
use crate::runtime::instance::Instance;
#[cfg(feature = "std")]
use crate::runtime::patience::Backoff;
use crate::runtime::patience::Patience;
use crate::runtime::plan::Plan;
use crate::runtime::state::Saving;
use crate::runtime::supervise::Supervised;
use crate::runtime::word::Access;
use crate::runtime::{Runtime, SavedState};

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
        // This thread has its record from here on, even if there was nobody to start.
        let _ = inner.calls.here(None);
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
        let heard = Shutdown.deliver(|delivery| inner.publish_to(None, delivery, &|_| true, patience));
        if !heard.is_clean() {
            log::warn!(target: "helix", "shutdown was not heard by all: {heard:?}");
        }
        let mut first = None;
        for instance in inner.in_order().iter().rev() {
            if let Err(error) = inner.stop_for_good(instance) {
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
        inner.stop_for_good(&instance)
    }

    /// Makes a module anew that has failed, without its state, and starts it: what [`Supervision`](crate::Supervision) does by
    /// itself until it gives up. What it needs must run.
    ///
    /// # Errors
    /// When it has not failed, what it needs does not run, or it fails again.
    pub fn restart_module(&self, id: ModuleId) -> Result<(), LifecycleError> {
        self.inner.restart_now(id)
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
        self.in_the_name_of(instance, hold, |cx| match self.too_deep(cx) {
            Some(error) => Err(error.into()),
            None => run(cx),
        })
    }

    /// The same however deep the chain is: for what asks for nothing.
    fn in_the_name_of<T>(&self, instance: &Instance, hold: Hold, run: impl FnOnce(&Context) -> T) -> T {
        let here = self.calls.here(None);
        // SAFETY: `self`, the instance and the calls that led here outlive this one.
        let mut cx = unsafe { Context::new(&instance.place, self, here.up()) };
        // SAFETY: as above.
        unsafe { cx.turn_to(&instance.place, hold) };
        let (_, _guard) = here.enter((&cx).into());
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
        let found = self.states.lock().iter().find(|state| state.module == instance.name()).cloned();
        let Some(state) = found else { return Ok(()) };
        let restored = self.on_behalf(instance, Hold::Place(Access::Free), |cx| self.restore(instance, &state, cx));
        restored.map_err(|error| {
            instance.fail();
            LifecycleError::new(instance.name(), "on_restore", error)
        })
    }

    /// The same without any state.
    pub(super) fn make(&self, instance: &Instance) -> Result<(), LifecycleError> {
        let name = instance.name();
        let make = || {
            let created =
                self.in_the_name_of(instance, Hold::Place(Access::Free), |_| instance.create(|| self.handle()));
            created.map_err(|error| LifecycleError::new(name, "create", error))?;
            let configured = self.in_the_name_of(instance, Hold::Place(Access::Free), |cx| {
                instance.configure(cx, |key| self.config.value(name, key))
            });
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
                let expected = ModuleState::Stopped;
                let error = ModuleError::WrongState { module: instance.name().to_string(), found, expected };
                return Err(LifecycleError::new(instance.name(), "start", error));
            }
        }
        self.step(instance, Step::Start, Hold::Place(Access::Free)).inspect_err(|_| instance.fail())?;
        instance.open().map_err(|error| LifecycleError::new(instance.name(), "on_start", error))?;
        self.registry().open_closures_of(instance);
        self.supervised(instance, Supervised::is_back);
        self.introduce(instance);
        if instance.is_lockless() {
            self.drain_at_opening(&instance.slot);
        }
        Ok(())
    }

    /// Tells a module that has started of those that run already, then everyone of it.
    pub(super) fn introduce(&self, instance: &Instance) {
        for other in self.in_order() {
            if other.slot.id != instance.slot.id && other.is_running() {
                let name = in_event(other.name());
                let heard = ModuleLoaded { name }.deliver(|delivery| {
                    let is_it = |listener: &Instance| core::ptr::eq(listener, instance);
                    self.publish_to(None, delivery, &is_it, Patience::ENDLESS)
                });
                if !heard.is_clean() {
                    log::warn!(target: instance.name(), "did not hear that `{}` is there: {heard:?}", other.name());
                }
            }
        }
        self.announce(None, |name| ModuleLoaded { name }, instance, Patience::ENDLESS);
        self.remind_module(instance);
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
            Err(error) => {
                self.drain_at_opening(&instance.slot);
                return Err(LifecycleError::new(name, "drain", error));
            }
        };
        #[cfg(feature = "std")]
        let flushed = self.flush(instance);
        #[cfg(not(feature = "std"))]
        let flushed = Ok(());
        let (saved, result) = match flushed.and_then(|()| self.last_state(instance)) {
            Ok(saved) => (saved, self.step(instance, Step::Stop, Hold::Gated)),
            Err(error) => (None, Err(error)),
        };
        if result.is_err() || instance.move_to(ModuleState::Stopped).is_err() {
            instance.fail();
        }
        gate.shut(instance);
        drop(gate);
        if let (Some(on_saved), Some(saved)) = (&self.settings.on_saved, saved) {
            on_saved(saved);
        }
        for closure in self.closures_of(instance) {
            self.vacate(&closure);
        }
        let patience = Patience::of(self.settings.drain_timeout);
        self.announce(None, |name| ModuleUnloaded { name }, instance, patience);
        result
    }

    /// What a module that is about to stop leaves to whoever keeps it. An error when its `on_save` has panicked.
    fn last_state(&self, instance: &Instance) -> Result<Option<SavedState>, LifecycleError> {
        let (Some(_), Some(saving)) = (&self.settings.on_saved, Saving::of(instance)) else { return Ok(None) };
        let saved = self.on_behalf(instance, Hold::Gated, |cx| match saving.save(instance, cx) {
            Ok(Ok(saved)) => Ok(Some(saved)),
            Ok(Err(error)) => {
                log::warn!(target: instance.name(), "its state is not kept: {error}");
                Ok(None)
            }
            Err(_) => Err(cx.take_fault()),
        });
        saved.map_err(|error| LifecycleError::new(instance.name(), "on_save", error))
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

pub(super) fn set_of(known: &[(Descriptor, bool)]) -> Vec<&Descriptor> {
    known.iter().map(|(descriptor, _)| descriptor).collect()
}

pub(super) fn unfit(module: &str, step: &'static str, faults: Vec<BuildFault>) -> LifecycleError {
    LifecycleError::new(module, step, ModuleError::Unfit(Box::new(BuildError { faults })))
}
