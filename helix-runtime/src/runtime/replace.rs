//! One module for another version of itself, while everybody else goes on: a transaction.
//!
//! The new instances are made beside the old ones, without their `on_start`. Then the old ones are had alone (`gate.rs`),
//! save, stop, and the new ones start. Until the view is exchanged the old ones can go on, and do if anything fails.

use alloc::string::ToString;
use alloc::sync::Arc;
use alloc::vec::Vec;

use crate::context::Hold;
use crate::descriptor::{Descriptor, Status, Step};
use crate::error::{IpcError, ModuleError, ModuleState};
use crate::event::ModuleReloaded;
use crate::info::ModuleFlags;
use crate::place::ModuleId;
use crate::runtime::Runtime;
use crate::runtime::gate::Gate;
use crate::runtime::inner::{Follower, Inner, Postponed};
use crate::runtime::instance::Instance;
use crate::runtime::lifecycle::{LifecycleError, Moving, Transition, set_of, unfit};
use crate::runtime::patience::Patience;
use crate::runtime::plan::Plan;
use crate::runtime::registry::counted;
use crate::runtime::report::Report;
use crate::runtime::state::Saving;
use crate::runtime::word::Access;

/// A module on its way: who serves now, and who is to serve then. They are the same for one that is only stopped and
/// started around the change.
struct Turn {
    old: Arc<Instance>,
    new: Arc<Instance>,
    /// Whether the old one ran.
    ran: bool,
}

impl Turn {
    fn is_new(&self) -> bool {
        !Arc::ptr_eq(&self.old, &self.new)
    }
}

impl Runtime {
    /// Replaces a module by another version of itself, with its state, while it serves.
    ///
    /// The new version, and a new instance of each `HOT_RELOADABLE` module that needs it, is created beside the old. Then
    /// callers and events wait while those inside leave, the state is saved and restored, the old ones stop and the new
    /// ones start. Modules that need it and are not `HOT_RELOADABLE` keep their instance, and are stopped and started.
    ///
    /// Asked for from inside one of the modules that it concerns, it waits for the next [`Runtime::poll`].
    ///
    /// # Errors
    /// The step that failed, and why. Whatever fails, the old version serves on, with the state that it had.
    ///
    /// ```
    /// # use helix_runtime::prelude::*;
    /// # use helix_runtime::{Module, Runtime, modules};
    /// # mod v1 { use helix_runtime::prelude::*;
    /// #[helix_module(name = "counter", version = "1.0.0", flags = HOT_RELOADABLE)]
    /// #[derive(Default)]
    /// pub struct Counter { count: u64 }
    ///
    /// #[helix_handlers]
    /// impl Counter {
    ///     #[on_request]
    ///     fn add(&mut self) -> u64 { self.count += 1; self.count }
    ///     #[on_save(version = 1)]
    ///     fn save(&self) -> u64 { self.count }
    ///     #[on_restore(version = 1)]
    ///     fn restore(&mut self, count: u64) { self.count = count; }
    /// }
    /// # }
    /// # mod v2 { use helix_runtime::prelude::*;
    ///
    /// // The next version counts by tens, and takes back what the first one saved.
    /// #[helix_module(name = "counter", version = "2.0.0", flags = HOT_RELOADABLE)]
    /// #[derive(Default)]
    /// pub struct Counter { tens: u64 }
    ///
    /// #[helix_handlers]
    /// impl Counter {
    ///     #[on_request]
    ///     fn add(&mut self) -> u64 { self.tens += 10; self.tens }
    ///     #[on_save(version = 2)]
    ///     fn save(&self) -> (u64, bool) { (self.tens, true) }
    ///     #[on_restore(version = 2)]
    ///     fn restore(&mut self, saved: (u64, bool)) { self.tens = saved.0; }
    ///     #[on_restore(version = 1)]
    ///     fn restore_v1(&mut self, count: u64) { self.tens = count * 10; }
    /// }
    /// # }
    ///
    /// let runtime = Runtime::builder().modules(modules![v1::Counter]).build()?;
    /// runtime.start()?;
    /// assert_eq!(runtime.call::<(), u64>("counter.add", ())?, 1);
    /// runtime.replace(runtime.module_id("counter")?, v2::Counter::DESCRIPTOR)?;
    /// assert_eq!(runtime.call::<(), u64>("counter.add", ())?, 20);
    /// # Ok::<(), Box<dyn core::error::Error>>(())
    /// ```
    pub fn replace(&self, id: ModuleId, descriptor: &'static Descriptor) -> Result<Transition, LifecycleError> {
        self.inner.replace(id, descriptor)
    }
}

impl Inner {
    pub(super) fn replace(&self, id: ModuleId, descriptor: &'static Descriptor) -> Result<Transition, LifecycleError> {
        let target = self.find(id, "replace")?;
        let moving = self.begin(target.name(), "replace")?;
        // It may have been removed or replaced while this call waited its turn.
        let target = self.find(id, "replace")?;
        let (turns, plan) = self.plan_turns(&target, descriptor)?;
        let old: Vec<_> = turns.iter().map(|turn| turn.old.clone()).collect();
        if self.is_inside(&old) {
            drop(moving);
            self.postponed.lock().push_back(Postponed::Replace(id, descriptor));
            return Ok(Transition::Postponed);
        }
        if let Err(error) = self.turn_over(&turns, plan) {
            self.discard(&turns);
            return Err(error);
        }
        self.retire(turns, moving);
        Ok(Transition::Done)
    }

    /// Checks that the new version fits, and finds whom the change concerns, in the order in which they start.
    fn plan_turns(
        &self,
        target: &Arc<Instance>,
        descriptor: &'static Descriptor,
    ) -> Result<(Vec<Turn>, Plan), LifecycleError> {
        let name = target.name();
        let fail = |error: ModuleError| Err(LifecycleError::new(name, "replace", error));
        if descriptor.info.name != name {
            let found = descriptor.info.name;
            return fail(
                alloc::format!("`{name}` cannot be replaced by `{found}`: expected a module of the same name").into(),
            );
        }
        let module = name.to_string();
        for info in [&target.descriptor.info, &descriptor.info] {
            if !info.flags.contains(ModuleFlags::HOT_RELOADABLE) {
                return fail(ModuleError::NotReloadable { module });
            }
        }
        if !matches!(target.state(), ModuleState::Running | ModuleState::Failed) {
            let (found, expected) = (target.state(), ModuleState::Running);
            return fail(ModuleError::WrongState { module, found, expected });
        }
        let (known, open) = self.known();
        let Some(at) = known.iter().position(|(known, _)| known.info.name == name) else {
            return fail(IpcError::ModuleNotFound { name: module }.into());
        };
        let mut set = set_of(&known);
        set[at] = descriptor;
        let (plan, faults) = Plan::new(&set, &*self.config, open);
        if !faults.is_empty() {
            return Err(unfit(name, "replace", faults));
        }
        let registry = self.registry();
        let instance = |slot, descriptor| {
            Arc::new(counted(Instance::new(slot, descriptor, core::ptr::null_mut()), &self.settings))
        };
        let ran = target.is_running();
        let new = instance(target.slot.clone(), *descriptor);
        let mut turns = alloc::vec![Turn { old: target.clone(), new, ran }];
        for at in registry.plan.dependents(at, &registry.set(), false) {
            let member = &registry.members[at];
            let old = member.instance.clone();
            if !old.is_running() {
                continue;
            }
            let can_be_made = old.descriptor.info.flags.contains(ModuleFlags::HOT_RELOADABLE) && !member.written;
            let new = if can_be_made { instance(old.slot.clone(), old.descriptor) } else { old.clone() };
            turns.push(Turn { old, new, ran: true });
        }
        Ok((turns, plan))
    }

    /// Everything up to the exchange of the view, and what was put aside meanwhile.
    fn turn_over(&self, turns: &[Turn], plan: Plan) -> Result<(), LifecycleError> {
        for turn in turns.iter().filter(|turn| turn.is_new()) {
            self.make(&turn.new)?;
        }
        let mut report = Report::new(self, turns.iter().map(|turn| turn.new.name()).collect());
        let dropped = || turns.iter().map(|turn| turn.new.slot.busy.dropped()).sum();
        report.gate_closes(dropped());
        let running: Vec<_> = turns.iter().filter(|turn| turn.ran).map(|turn| turn.old.clone()).collect();
        let gate = Gate::close(self, running, self.settings.drain_timeout)
            .map_err(|error| LifecycleError::new(turns[0].old.name(), "drain", error))?;
        report.gate_is_closed();
        #[cfg(feature = "std")]
        turns.iter().filter(|turn| turn.is_new() && turn.ran).for_each(|turn| turn.old.part_for(&turn.new));
        for turn in turns.iter().filter(|turn| turn.is_new()) {
            if turn.ran {
                #[cfg(feature = "std")]
                self.flush(&turn.old)?;
                self.hand_over(turn, &mut report)?;
            }
            self.check_health(&turn.new)?;
        }
        self.stop_and_start(turns, &gate)?;
        report.steps_are_done();

        // What was kept meanwhile comes before those who come anew.
        let with_lock = turns.iter().filter(|turn| !turn.new.is_lockless());
        let held_off: Vec<_> = with_lock.map(|turn| turn.new.word.held_off()).collect();
        let mut registry = self.registry();
        let mut gone = Vec::new();
        for turn in turns.iter().filter(|turn| turn.is_new()) {
            if let Some(at) = registry.index(turn.new.slot.id) {
                let member = &mut registry.members[at];
                member.supervised.is_back();
                gone.push(core::mem::replace(&mut member.instance, turn.new.clone()));
            }
            gone.extend(registry.unsubscribe_all(&turn.old));
            registry.open_closures_of(&turn.new);
        }
        if let Some(at) = registry.index(turns[0].new.slot.id) {
            registry.members[at].supervised.forgive();
        }
        registry.follow(plan);
        self.install(registry, gone);
        // Whoever waits for an old one looks again, and finds the new one in the new view.
        for turn in turns {
            if turn.is_new() {
                gate.shut(&turn.old);
            } else {
                gate.open(&turn.old);
            }
        }
        self.ring_out(turns);
        drop(held_off);
        report.gate_is_open(dropped());
        Ok(())
    }

    /// Gives the new instance the state of the old one.
    fn hand_over(&self, turn: &Turn, report: &mut Report<'_>) -> Result<(), LifecycleError> {
        let Some(saving) = Saving::of(&turn.old) else { return Ok(()) };
        let name = turn.old.name();
        let saved = self.on_behalf(&turn.old, Hold::Gated, |cx| match saving.save(&turn.old, cx) {
            Ok(saved) => saved,
            Err(_) => Err(cx.take_fault()),
        });
        let saved = saved.map_err(|error| LifecycleError::new(name, "on_save", error))?;
        report.state(&saved, Saving::of(&turn.new).map(|saving| saving.version));
        let restored = self.on_behalf(&turn.new, Hold::Gated, |cx| self.restore(&turn.new, &saved, cx));
        restored.map_err(|error| LifecycleError::new(name, "on_restore", error))
    }

    fn check_health(&self, instance: &Instance) -> Result<(), LifecycleError> {
        let module = || instance.name().to_string();
        let health = self.on_behalf(instance, Hold::Gated, |cx| match instance.health(cx) {
            Status::Handled => Ok(()),
            Status::Ignored => Err(ModuleError::Unhealthy { module: module() }),
            _ => Err(cx.take_fault()),
        });
        health.map_err(|error| LifecycleError::new(instance.name(), "on_health", error))
    }

    /// Stops the old ones and starts the new ones; if that fails, the old ones are started again.
    fn stop_and_start(&self, turns: &[Turn], gate: &Gate<'_>) -> Result<(), LifecycleError> {
        let mut stopped = turns.len();
        let mut started = 0;
        let run = || {
            for (at, turn) in turns.iter().enumerate().rev().filter(|(_, turn)| turn.ran) {
                // One that fails to stop is started again like those that did stop.
                stopped = at;
                self.step(&turn.old, Step::Stop, Hold::Gated)?;
            }
            for (at, turn) in turns.iter().enumerate() {
                self.step(&turn.new, Step::Start, Hold::Gated)?;
                started = at + 1;
                if turn.is_new() {
                    #[cfg(feature = "std")]
                    turn.new.hold_queue();
                    turn.new.open().map_err(|error| LifecycleError::new(turn.new.name(), "on_start", error))?;
                    // Those that start after it may call it; nobody else finds it yet.
                    self.followers.lock().push(Follower { old: turn.old.clone(), new: turn.new.clone() });
                }
            }
            Ok(())
        };
        let mut run = run;
        let result = run();
        let followers = core::mem::take(&mut *self.followers.lock());
        drop(followers);
        if result.is_ok() {
            return result;
        }
        for turn in turns[..started].iter().rev() {
            if let Err(error) = self.step(&turn.new, Step::Stop, Hold::Gated) {
                log::error!(target: turn.new.name(), "while going back: {error}");
            }
        }
        for turn in turns[stopped..].iter().filter(|turn| turn.ran) {
            if let Err(error) = self.step(&turn.old, Step::Start, Hold::Gated) {
                log::error!(target: turn.old.name(), "while going back: {error}");
                turn.old.fail();
                gate.shut(&turn.old);
            }
        }
        result
    }

    /// Throws the new ones away.
    fn discard(&self, turns: &[Turn]) {
        #[cfg(feature = "std")]
        turns.iter().for_each(|turn| turn.old.part(false));
        let mut registry = self.registry();
        let mut closures = Vec::new();
        for turn in turns.iter().filter(|turn| turn.is_new()) {
            turn.new.word.close();
            closures.extend(registry.unsubscribe_all(&turn.new));
        }
        self.install(registry, closures);
        self.ring_out(turns);
    }

    /// Lets the old ones go, and tells everyone.
    fn retire(&self, turns: Vec<Turn>, moving: Moving<'_>) {
        for turn in turns.iter().filter(|turn| turn.is_new()) {
            if turn.ran {
                let moved = turn.old.move_to(ModuleState::Stopped);
                debug_assert!(moved.is_ok());
            }
            #[cfg(feature = "std")]
            turn.new.inherit_queue(&turn.old);
        }
        for turn in turns.iter().rev().filter(|turn| turn.is_new()) {
            self.unload(&turn.old);
        }
        drop(moving);
        for turn in turns.iter().filter(|turn| turn.is_new()) {
            self.announce(None, |name| ModuleReloaded { name }, &turn.new, Patience::ENDLESS);
            self.remind_module(&turn.new);
        }
        drop(turns);
        self.reclaim();
    }

    fn ring_out(&self, turns: &[Turn]) {
        for turn in turns {
            self.drain_at_opening(&turn.new.slot);
        }
    }

    /// A failed module's successor takes its place, without its state; its closures go with it.
    pub(super) fn restart(&self, failed: &Arc<Instance>) -> Result<(), LifecycleError> {
        let new = Instance::new(failed.slot.clone(), failed.descriptor, core::ptr::null_mut());
        let new = Arc::new(counted(new, &self.settings));
        let open = || new.open().map_err(|error| LifecycleError::new(new.name(), Step::Start.attribute(), error));
        let started = self.make(&new).and_then(|()| self.step(&new, Step::Start, Hold::Place(Access::Free)));
        #[cfg(feature = "std")]
        new.hold_queue();
        let started = started.and_then(|()| open());
        let mut registry = self.registry();
        if let Err(error) = started {
            let closures = registry.unsubscribe_all(&new);
            self.install(registry, closures);
            return Err(error);
        }
        let mut gone = registry.unsubscribe_all(failed);
        if let Some(at) = registry.index(failed.slot.id) {
            gone.push(core::mem::replace(&mut registry.members[at].instance, new.clone()));
        }
        registry.open_closures_of(&new);
        registry.name();
        self.install(registry, gone);
        #[cfg(feature = "std")]
        new.inherit_queue(failed);
        self.unload(failed);
        self.introduce(&new);
        Ok(())
    }
}
