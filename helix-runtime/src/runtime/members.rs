//! Modules that come and go: what may be added, what may be removed, and what is left of it.

use alloc::boxed::Box;
use alloc::string::ToString;
use alloc::sync::Arc;
use alloc::vec;
use alloc::vec::Vec;

use crate::descriptor::Descriptor;
use crate::error::{IpcError, ModuleError, ModuleState};
use crate::handwritten::{self, ModuleTrait};
use crate::place::ModuleId;
use crate::runtime::Runtime;
use crate::runtime::faults::{BuildFault, check_keys};
use crate::runtime::inner::{Inner, Postponed};
use crate::runtime::instance::Instance;
use crate::runtime::lifecycle::{LifecycleError, Transition, set_of, unfit};
use crate::runtime::plan::Plan;
use crate::runtime::registry::Registry;
use crate::set::Fault;
impl Runtime {
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
}

impl Inner {
    /// Whether a module may go: nobody needs it, and it is not essential while the system runs.
    pub(super) fn may_go(&self, instance: &Instance, step: &'static str) -> Result<(), LifecycleError> {
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
        // Nobody takes over what would wait for it.
        #[cfg(feature = "std")]
        instance.part(true);
        let stopped = self.stop_one(&instance);
        if instance.is_running() {
            #[cfg(feature = "std")]
            instance.part(false);
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
            None => cfg!(not(feature = "std")) && self.calls.inside(&(0..0)).is_some(),
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
        if instance.word.is_vacant() && self.calls.inside(&instance.marks()).is_none() {
            // SAFETY: the word is closed, with nobody counted inside, and no mark was found after it was closed.
            unsafe { instance.destroy() };
        }
        // A closure stops as it goes.
        let _ = instance.move_to(ModuleState::Stopped);
        if let Err(error) = instance.move_to(ModuleState::Unloaded) {
            log::debug!(target: instance.name(), "{error}");
        }
    }
}

impl Registry {
    /// What a module needs and nobody is or provides, because it has not come yet or was removed.
    pub(super) fn missing(&self, module: usize) -> Vec<BuildFault> {
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
