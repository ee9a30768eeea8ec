//! Modules that fail are started again: after a while, and not for ever.

use alloc::sync::Arc;
use alloc::vec::Vec;
use core::time::Duration;

use crate::error::{ModuleError, ModuleState};
use crate::place::ModuleId;
use crate::runtime::inner::Inner;
use crate::runtime::instance::Instance;
use crate::runtime::lifecycle::LifecycleError;

/// How failed modules are started again by [`Runtime::poll`](crate::Runtime::poll): each by itself, without its state, as
/// Erlang's supervisors do it (`one_for_one`, with intensity and period).
///
/// Those that need a failed module are stopped, and started again when it is back.
///
/// ```
/// use core::time::Duration;
/// use helix_runtime::{Runtime, Supervision};
/// let eager = Supervision { backoff: Duration::from_millis(1), ..Supervision::default() };
/// let runtime = Runtime::builder().supervision(eager).build()?;
/// # Ok::<(), Box<dyn core::error::Error>>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Supervision {
    /// How often a module's health is asked for. Never, if none. One that says that it is not well counts as failed.
    pub health_interval: Option<Duration>,
    /// How many failures within `period` are answered by a restart; with one more the module stays failed.
    pub intensity: u32,
    /// The time within which failures are counted.
    pub period: Duration,
    /// How long the first restart waits; each further one within `period` waits twice as long.
    pub backoff: Duration,
    /// How long a restart waits at most.
    pub longest_backoff: Duration,
}

impl Default for Supervision {
    /// Three restarts within half a minute, after 100 ms, 200 ms and 400 ms; no health is asked for.
    fn default() -> Self {
        Self {
            health_interval: None,
            intensity: 3,
            period: Duration::from_secs(30),
            backoff: Duration::from_millis(100),
            longest_backoff: Duration::from_secs(10),
        }
    }
}

impl Supervision {
    /// What failed stays failed.
    pub const NEVER: Self = Self {
        health_interval: None,
        intensity: 0,
        period: Duration::ZERO,
        backoff: Duration::ZERO,
        longest_backoff: Duration::ZERO,
    };

    /// How long the `nth` restart within the period waits.
    fn wait(&self, nth: usize) -> Duration {
        let factor = 1_u32.checked_shl(nth as u32).unwrap_or(u32::MAX);
        self.backoff.saturating_mul(factor).min(self.longest_backoff)
    }
}

/// What supervision knows of one module.
#[derive(Default)]
pub(super) struct Supervised {
    /// When it failed, within the period.
    failures: Vec<Duration>,
    /// How often it was started again.
    pub(super) restarts: u32,
    next: Next,
    /// Whether it was stopped because something that it needs has failed.
    waits: bool,
}

#[derive(Default, Clone, Copy, PartialEq, Eq)]
enum Next {
    /// It has not failed, as far as is known.
    #[default]
    Nothing,
    Restart(Duration),
    /// It has failed too often.
    GiveUp,
}

impl Supervised {
    /// The module runs: supervision owes it nothing.
    pub(super) fn is_back(&mut self) {
        (self.next, self.waits) = (Next::Nothing, false);
    }

    /// Whoever stops it means it to stay so.
    pub(super) fn does_not_wait(&mut self) {
        self.waits = false;
    }

    /// The same where that has failed, and the module with it.
    fn stays_down(&mut self) {
        (self.next, self.waits) = (Next::GiveUp, false);
    }

    /// Another version has taken the module's place: what the old one did does not count against it.
    pub(super) fn forgive(&mut self) {
        self.failures.clear();
        self.next = Next::Nothing;
    }

    /// Takes note that the module is found failed, and says when it is to be started again.
    fn note(&mut self, policy: &Supervision, now: Duration) -> Next {
        if self.next == Next::Nothing {
            self.failures.retain(|failed| now.saturating_sub(*failed) < policy.period);
            self.failures.push(now);
            self.next = if self.failures.len() > policy.intensity as usize {
                Next::GiveUp
            } else {
                Next::Restart(now.saturating_add(policy.wait(self.failures.len() - 1)))
            };
        }
        self.next
    }
}

impl Inner {
    /// Stops those that need what has failed, starts again what is due, then those that waited for it. How many started.
    pub(super) fn supervise(&self, now: Duration) -> u32 {
        if !*self.started.lock() || !self.needs_supervision() {
            return 0;
        }
        let Ok(_moving) = self.begin_at_once("supervision") else { return 0 };
        let mut restarted = 0;
        for failed in self.in_state(|instance| instance.state() == ModuleState::Failed) {
            self.stop_dependents(&failed);
            if failed.descriptor.comes_by_itself() {
                self.supervised(&failed, |supervised| supervised.next = Next::GiveUp);
            } else if self.is_due(&failed, now) {
                restarted += u32::from(self.try_restart(&failed));
            }
        }
        self.start_waiting();
        restarted
    }

    /// Whether anything waits, has failed, or runs without what it needs. A look that takes no transition.
    fn needs_supervision(&self) -> bool {
        let registry = self.registry();
        registry.members.iter().enumerate().any(|(at, member)| {
            let failed = member.instance.state() == ModuleState::Failed;
            let given_up = member.supervised.next == Next::GiveUp;
            // Who needs it may have been replaced since it was given up, and run again.
            member.supervised.waits || (failed && (!given_up || !registry.needed_by(at).is_empty()))
        })
    }

    fn in_state(&self, is: impl Fn(&Instance) -> bool) -> Vec<Arc<Instance>> {
        self.in_order().into_iter().filter(|instance| is(instance)).collect()
    }

    fn stop_dependents(&self, failed: &Instance) {
        let dependents = {
            let registry = self.registry();
            registry.index(failed.slot.id).map(|at| registry.dependents(at, false)).unwrap_or_default()
        };
        for dependent in dependents.iter().rev().filter(|dependent| dependent.is_running()) {
            log::info!(target: dependent.name(), "stops, because `{}` has failed", failed.name());
            // What is published from the moment on at which it stops waits for it.
            dependent.await_again(true);
            if let Err(error) = self.stop_one(dependent) {
                log::error!(target: dependent.name(), "{error}");
            }
            if dependent.state() == ModuleState::Stopped {
                self.supervised(dependent, |supervised| supervised.waits = true);
            }
        }
    }

    pub(super) fn supervised<T>(&self, instance: &Instance, change: impl FnOnce(&mut Supervised) -> T) -> Option<T> {
        let mut registry = self.registry();
        let at = registry.index(instance.slot.id)?;
        Some(change(&mut registry.members[at].supervised))
    }

    /// Stops a module that is to stay so, whatever comes of it.
    pub(super) fn stop_for_good(&self, instance: &Arc<Instance>) -> Result<(), LifecycleError> {
        self.supervised(instance, Supervised::does_not_wait);
        instance.await_again(false);
        let stopped = self.stop_one(instance);
        if instance.state() == ModuleState::Failed {
            self.supervised(instance, Supervised::stays_down);
            instance.await_again(false);
        }
        stopped
    }

    /// Starts a failed module again, because somebody wants it now. What it has done does not count any more.
    pub(super) fn restart_now(&self, id: ModuleId) -> Result<(), LifecycleError> {
        let failed = self.find(id, "restart")?;
        let _moving = self.begin(failed.name(), "restart")?;
        let failed = self.find(id, "restart")?;
        let fail = |error: ModuleError| Err(LifecycleError::new(failed.name(), "restart", error));
        if failed.state() != ModuleState::Failed {
            let (found, expected) = (failed.state(), ModuleState::Failed);
            return fail(ModuleError::WrongState { module: failed.name().into(), found, expected });
        }
        if self.is_written(&failed) {
            return fail(ModuleError::new("it was made by hand and cannot be made again"));
        }
        self.needs_run(&failed)?;
        self.restart(&failed)?;
        self.supervised(&failed, Supervised::forgive);
        Ok(())
    }

    fn is_written(&self, instance: &Instance) -> bool {
        let registry = self.registry();
        registry.index(instance.slot.id).is_some_and(|at| registry.members[at].written)
    }

    fn is_due(&self, failed: &Instance, now: Duration) -> bool {
        let before = self.supervised(failed, |supervised| supervised.next);
        let next = self.supervised(failed, |supervised| supervised.note(&self.settings.supervision, now));
        if before != next && next == Some(Next::GiveUp) {
            failed.await_again(false);
            log::error!(target: failed.name(), "has failed too often and is not started again");
        }
        matches!(next, Some(Next::Restart(at)) if at <= now)
    }

    fn try_restart(&self, failed: &Arc<Instance>) -> bool {
        if self.is_written(failed) {
            log::error!(target: failed.name(), "was made by hand and cannot be made again");
            self.supervised(failed, |supervised| supervised.next = Next::GiveUp);
            return false;
        }
        // It comes back when what it needs is back.
        if self.needs_run(failed).is_err() {
            return false;
        }
        self.supervised(failed, |supervised| supervised.next = Next::Nothing);
        match self.restart(failed) {
            Ok(()) => {
                self.supervised(failed, |supervised| supervised.restarts += 1);
                true
            }
            // The failed one is found again the next time, and counted.
            Err(error) => {
                log::error!(target: failed.name(), "restart: {error}");
                false
            }
        }
    }

    fn start_waiting(&self) {
        for instance in self.in_state(|instance| instance.state() == ModuleState::Stopped) {
            if self.supervised(&instance, |supervised| supervised.waits) != Some(true) {
                continue;
            }
            if self.needs_run(&instance).is_ok() {
                self.supervised(&instance, |supervised| supervised.waits = false);
                if let Err(error) = self.start_one(&instance) {
                    log::error!(target: instance.name(), "{error}");
                }
            }
        }
    }

    /// Asks for everyone's health where that is due. Who is not well counts as failed.
    pub(super) fn poll_health(&self, now: Duration) {
        let Some(interval) = self.settings.supervision.health_interval else { return };
        let mut last = self.last_health.lock();
        if !*self.started.lock() || last.is_some_and(|last| now.saturating_sub(last) < interval) {
            return;
        }
        *last = Some(now);
        drop(last);
        for health in self.health().into_iter().filter(|health| !health.healthy && health.reason.is_none()) {
            let found = {
                let registry = self.registry();
                registry.index_of(health.module).map(|at| registry.members[at].instance.clone())
            };
            let Some(instance) = found.filter(|instance| instance.is_running()) else { continue };
            log::error!(target: health.module, "says that it is not healthy");
            let Ok(_moving) = self.begin_at_once("supervision") else { return };
            self.stop_dependents(&instance);
            instance.await_again(true);
            if let Err(error) = self.stop_one(&instance) {
                log::error!(target: health.module, "{error}");
            }
            if !instance.is_running() {
                instance.fail();
            }
        }
    }
}
