//! The steps of a life, in the order of dependencies. Only the runtime moves a module on.

use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::fmt;
use core::sync::atomic::Ordering;

use crate::chain;
use crate::context::Context;
use crate::descriptor::{Entry, EntryKind, Status, Step};
use crate::error::{ModuleError, ModuleResult, ModuleState};
use crate::event::{HealthCheck, ModuleLoaded, ModuleName, ModuleUnloaded, Publish, Shutdown};
use crate::runtime::Runtime;
use crate::runtime::dispatch::{Inner, Patience};
use crate::runtime::slot::{Access, Refused, Slot};

/// Why the modules did not all start or stop.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StartError {
    /// The module that failed.
    pub module: String,
    /// The step that failed: `create`, `config`, `on_init`, `on_restore`, `on_start` or `on_stop`.
    pub step: &'static str,
    /// What went wrong.
    pub error: ModuleError,
}

impl fmt::Display for StartError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "module `{}`, {}: {}", self.module, self.step, self.error)
    }
}

impl core::error::Error for StartError {
    fn source(&self) -> Option<&(dyn core::error::Error + 'static)> {
        Some(&self.error)
    }
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

/// How long `stop` waits for those inside the modules, in seconds.
const STOP_PATIENCE: u64 = 5;

/// How long `health` waits for a module, in seconds.
const HEALTH_PATIENCE: u64 = 1;

/// One transition at a time; the guard ends it.
struct Moving<'a>(&'a Inner);

impl Drop for Moving<'_> {
    fn drop(&mut self) {
        self.0.moving.store(false, Ordering::Release);
    }
}

impl Runtime {
    /// Creates, configures, initializes, restores and starts every module, each after what it needs.
    ///
    /// # Errors
    /// When a module fails, those that this call had started are stopped in reverse, and the failure is returned.
    pub fn start(&self) -> Result<(), StartError> {
        let inner = &*self.inner;
        let _moving = inner.begin("start")?;
        for (started, at) in inner.order.iter().enumerate() {
            if let Err(error) = inner.start_one(&inner.slots[*at]) {
                for before in inner.order[..started].iter().rev() {
                    if let Err(error) = inner.stop_one(&inner.slots[*before], Patience::seconds(STOP_PATIENCE)) {
                        log::error!(target: "helix", "while unwinding: {error}");
                    }
                }
                return Err(error);
            }
        }
        Ok(())
    }

    /// Publishes [`Shutdown`], then stops every running module, each before what it needs.
    ///
    /// # Errors
    /// The first failure; a module whose `on_stop` fails is failed, and the others are stopped all the same. A module
    /// that stays busy for five seconds ends the call: it and what it needs run on.
    pub fn stop(&self) -> Result<(), StartError> {
        let inner = &*self.inner;
        let _moving = inner.begin("stop")?;
        let patience = Patience::seconds(STOP_PATIENCE);
        let heard = Shutdown.deliver(|delivery| inner.publish_to(None, delivery, |_| true, patience));
        if !heard.is_clean() {
            log::warn!(target: "helix", "shutdown was not heard by all: {heard:?}");
        }
        let mut first = None;
        for at in inner.order.iter().rev() {
            let slot = &inner.slots[*at];
            if let Err(error) = inner.stop_one(slot, patience) {
                first.get_or_insert(error);
                if slot.state() == ModuleState::Running {
                    break;
                }
            }
        }
        first.map_or(Ok(()), Err)
    }

    /// Asks every module how it is, and publishes a [`HealthCheck`] for each.
    ///
    /// A module that stays busy for a second is not well, and the reason says so.
    pub fn health(&self) -> Vec<ModuleHealth> {
        let inner = &*self.inner;
        let ask = |at: &usize| {
            let slot = &inner.slots[*at];
            let health = inner.health_of(slot);
            inner.announce(
                None,
                |name| HealthCheck { name, healthy: health.healthy },
                slot,
                Patience::seconds(HEALTH_PATIENCE),
            );
            health
        };
        inner.order.iter().map(ask).collect()
    }
}

impl Inner {
    fn begin(&self, step: &'static str) -> Result<Moving<'_>, StartError> {
        if self.moving.swap(true, Ordering::Acquire) {
            let error = ModuleError::new("another start or stop of this runtime is under way");
            return Err(StartError { module: "helix".into(), step, error });
        }
        Ok(Moving(self))
    }

    /// Runs `run` as a call of that module, so that what it asks for carries the chain.
    ///
    /// `holds` says whether others wait for the module meanwhile.
    pub(super) fn on_behalf<T>(
        &self,
        slot: &Slot,
        holds: bool,
        run: impl FnOnce(&Context) -> ModuleResult<T>,
    ) -> ModuleResult<T> {
        // SAFETY: `self` and the calls that led here outlive this one.
        let mut cx = unsafe { Context::new(slot.id, self, self.up(None)) };
        if let Some(error) = self.too_deep(&cx) {
            return Err(error.into());
        }
        cx.turn_to(slot.id, holds);
        let _pushed = chain::enter((&cx).into());
        run(&cx)
    }

    fn start_one(&self, slot: &Slot) -> Result<(), StartError> {
        let failed = |step| {
            move |error| {
                slot.set_state(ModuleState::Failed);
                StartError { module: slot.name().to_string(), step, error }
            }
        };
        match slot.state() {
            ModuleState::Registered => {
                slot.create().map_err(failed("create"))?;
                slot.configure(|key| self.config.value(slot.name(), key)).map_err(failed("config"))?;
                slot.set_state(ModuleState::Created);
                self.on_behalf(slot, false, |cx| slot.step(Step::Init, cx)).map_err(failed("on_init"))?;
                if let Some(state) = self.states.iter().find(|state| state.module == slot.name()) {
                    self.on_behalf(slot, false, |cx| self.restore(slot, state, cx)).map_err(failed("on_restore"))?;
                }
                slot.set_state(ModuleState::Initialized);
            }
            ModuleState::Stopped => {}
            found => {
                let expected = ModuleState::Registered;
                let error = ModuleError::WrongState { module: slot.name().to_string(), found, expected };
                return Err(StartError { module: slot.name().to_string(), step: "start", error });
            }
        }
        self.on_behalf(slot, false, |cx| slot.step(Step::Start, cx)).map_err(failed("on_start"))?;
        slot.open();
        self.introduce(slot);
        Ok(())
    }

    /// Tells a module that has started of those that run already, then everyone of it.
    fn introduce(&self, slot: &Slot) {
        for at in &self.order {
            let other = &self.slots[*at];
            if other.id != slot.id && other.state() == ModuleState::Running {
                let name = ModuleName::try_from(other.name()).unwrap_or_default();
                let heard = ModuleLoaded { name }.deliver(|delivery| {
                    self.publish_to(None, delivery, |listener| listener.id == slot.id, Patience::ENDLESS)
                });
                if !heard.is_clean() {
                    log::warn!(target: slot.name(), "did not hear that `{}` is there: {heard:?}", other.name());
                }
            }
        }
        self.announce(None, |name| ModuleLoaded { name }, slot, Patience::ENDLESS);
    }

    fn stop_one(&self, slot: &Slot, patience: Patience) -> Result<(), StartError> {
        let failed = |error| StartError { module: slot.name().to_string(), step: "on_stop", error };
        match self.close(slot, patience) {
            Ok(()) => {}
            // It never ran, or a panic has ended it.
            Err(Refused::NotRunning) => return Ok(()),
            Err(Refused::Busy) => return Err(failed(self.busy(self.up_context(), slot).into())),
        }
        let result = self.on_behalf(slot, false, |cx| slot.step(Step::Stop, cx));
        slot.set_state(if result.is_ok() { ModuleState::Stopped } else { ModuleState::Failed });
        self.announce(None, |name| ModuleUnloaded { name }, slot, patience);
        result.map_err(failed)
    }

    /// Keeps callers out, once those inside have left.
    fn close(&self, slot: &Slot, patience: Patience) -> Result<(), Refused> {
        let inside = self.up_context().is_some_and(|up| up.holds_lock_of(self.address(), slot.id));
        loop {
            match slot.close() {
                Err(Refused::Busy) if !inside && !patience.is_over() => {
                    #[cfg(feature = "std")]
                    {
                        slot.want();
                        std::thread::yield_now();
                    }
                }
                closed => {
                    #[cfg(feature = "std")]
                    slot.unwant();
                    return closed;
                }
            }
        }
    }

    fn health_of(&self, slot: &Slot) -> ModuleHealth {
        let result = self.ask_health(slot);
        let (healthy, reason) = match result {
            Ok(healthy) => (healthy, None),
            Err(error) => (false, Some(error)),
        };
        ModuleHealth { module: slot.name(), healthy, reason }
    }

    fn ask_health(&self, slot: &Slot) -> ModuleResult<bool> {
        let is_health = |entry: &&&Entry| matches!(entry.kind, EntryKind::Step(Step::Health, _));
        let exclusive = slot.entries.iter().find(is_health).is_some_and(|entry| entry.exclusive);
        let access = slot.access(exclusive);
        let up = self.up_context();
        let entered =
            self.enter(slot, access, up, Patience::seconds(HEALTH_PATIENCE)).map_err(|refused| match refused {
                Refused::Busy => self.busy(up, slot).into(),
                Refused::NotRunning => ModuleError::WrongState {
                    module: slot.name().to_string(),
                    found: slot.state(),
                    expected: ModuleState::Running,
                },
            })?;
        self.on_behalf(slot, access != Access::Free, |cx| match entered.health(cx) {
            Status::Handled => Ok(true),
            Status::Ignored => Ok(false),
            Status::Panicked => Err(self.crashed(entered, slot, cx)),
            _ => Err(cx.take_fault()),
        })
    }

    /// Stops what still runs, because the runtime goes.
    pub(crate) fn end(&self) {
        for at in self.order.iter().rev() {
            let slot = &self.slots[*at];
            if slot.close().is_ok() {
                if let Err(error) = self.on_behalf(slot, false, |cx| slot.step(Step::Stop, cx)) {
                    log::error!(target: slot.name(), "on_stop: {error}");
                }
                slot.set_state(ModuleState::Stopped);
            }
        }
    }
}
