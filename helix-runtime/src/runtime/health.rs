//! How modules are: asked from outside of their handlers, as one of them.

use alloc::sync::Arc;
use alloc::vec::Vec;
use core::time::Duration;

use crate::context::{Context, Hold};
use crate::descriptor::{Entry, EntryKind, Status, Step};
use crate::error::{IpcError, ModuleError, ModuleResult};
use crate::event::HealthCheck;
use crate::runtime::Runtime;
use crate::runtime::inner::Inner;
use crate::runtime::instance::Instance;
use crate::runtime::patience::Patience;
use crate::runtime::way::Way;
use crate::runtime::word::Refused;
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

/// A handler has panicked; what it said is in the context.
pub(super) struct Panicked;

impl Runtime {
    /// Asks every module how it is, and publishes a [`HealthCheck`] for each.
    ///
    /// A module that stays busy for a second is not well, and the reason says so.
    pub fn health(&self) -> Vec<ModuleHealth> {
        self.inner.health()
    }
}

impl Inner {
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
        let here = self.calls.here(None);
        // SAFETY: `self`, the instance and the calls that led here outlive this one.
        let mut cx = unsafe { Context::new(&instance.place, self, here.up()) };
        if let Some(error) = self.too_deep(&cx) {
            return Err(error.into());
        }
        let link = core::ptr::NonNull::from(&mut cx);
        let (under, _guard) = here.enter(link);
        // SAFETY: the link lies on this stack.
        let depth = unsafe { link.as_ref() }.depth();
        let way = Way::to(instance, handler, access);
        let entered = self.enter(&way, under.mark(depth), up, patience).map_err(|refused| match refused {
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
            Err(Panicked) => Err(self.crashed(entered, cx)),
        }
    }
}
