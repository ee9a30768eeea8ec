//! From a list of modules to a runtime: every fault at once, then the order in which they start.

use alloc::boxed::Box;
use alloc::collections::BinaryHeap;
use alloc::string::{String, ToString};
use alloc::sync::{Arc, Weak};
use alloc::vec::Vec;
use core::cmp::Reverse;
use core::fmt;
use core::sync::atomic::AtomicBool;

use crate::config::{Config, SERVICES};
use crate::context::{ModuleId, Route};
use crate::descriptor::{Descriptor, EntryKind};
use crate::handwritten::{self, ModuleTrait};
use crate::runtime::names::Names;
use crate::runtime::slot::Slot;
use crate::runtime::topics::Topics;
use crate::runtime::{Inner, Runtime, SavedState};
use crate::set::{self, Chosen, Fault, ModuleSet, Walk};

/// Gathers what a runtime is made of.
///
/// ```
/// use helix_runtime::{Runtime, modules};
/// static CONFIG: &[(&str, &str)] = &[];
/// let runtime = Runtime::builder().config(CONFIG).modules(modules![]).build()?;
/// runtime.start()?;
/// # Ok::<(), Box<dyn core::error::Error>>(())
/// ```
#[must_use = "nothing is built until `build` is called"]
pub struct Builder {
    config: Box<dyn Config>,
    members: Vec<Member>,
    depth_limit: u32,
    states: Vec<SavedState>,
}

struct Member {
    descriptor: Descriptor,
    /// A hand-written module, whose config keys are not listed.
    written: Option<Box<dyn ModuleTrait>>,
}

impl fmt::Debug for Builder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.members.iter().map(|member| member.descriptor.info.name)).finish()
    }
}

/// Why a runtime could not be built: every fault, not only the first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BuildError {
    /// What is wrong.
    pub faults: Vec<BuildFault>,
}

impl fmt::Display for BuildError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, fault) in self.faults.iter().enumerate() {
            if at > 0 {
                f.write_str("\n")?;
            }
            write!(f, "{fault}")?;
        }
        Ok(())
    }
}

impl core::error::Error for BuildError {}

/// One thing that is wrong with a set of modules or its configuration.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum BuildFault {
    /// The modules do not fit together.
    #[error("{0}")]
    Set(Fault),
    /// Modules need each other in a circle.
    #[error("modules need each other in a circle: {path}; make one of these dependencies optional")]
    Cycle {
        /// The circle: `a -> b -> a`.
        path: String,
    },
    /// Two modules provide a service, and the configuration does not choose.
    #[error("service `{service}` is provided by `{first}` and `{second}`; set `services.{service}` to one of them")]
    Providers {
        /// The service.
        service: String,
        /// One provider.
        first: String,
        /// Another.
        second: String,
    },
    /// The configuration chooses a provider that is none.
    #[error("config key `services.{service}`: found `{found}`, expected a module that provides it: {known}")]
    Choice {
        /// The service.
        service: String,
        /// What is configured.
        found: String,
        /// Who provides it, separated by commas.
        known: String,
    },
    /// The configuration is for a module that is not there.
    #[error("config key `{module}.{key}`: no module is called `{module}`; there are: {known}")]
    UnknownModule {
        /// The module's name as it was written.
        module: String,
        /// The key.
        key: String,
        /// The modules that are there, separated by commas.
        known: String,
    },
    /// A key does not say of which module it is.
    #[error("config key `{key}`: found no module, expected `module.key`")]
    BareKey {
        /// The key as it was written.
        key: String,
    },
    /// A key is set twice.
    #[error("config key `{module}.{key}` is set twice: keep one")]
    KeyTwice {
        /// The module.
        module: String,
        /// The key.
        key: String,
    },
    /// There are two saved states for one module.
    #[error("saved state: there are two for `{module}`: keep one")]
    StateTwice {
        /// The module.
        module: String,
    },
    /// There is saved state for a module that is not there.
    #[error("saved state: no module is called `{module}`; there are: {known}")]
    UnknownState {
        /// The module's name in the saved state.
        module: String,
        /// The modules that are there, separated by commas.
        known: String,
    },
    /// A module has no such key.
    #[error("config key `{module}.{key}`: `{module}` has no key `{key}`; it has: {known}")]
    UnknownKey {
        /// The module.
        module: String,
        /// The key as it was written.
        key: String,
        /// The keys it has, separated by commas.
        known: String,
    },
}

impl Builder {
    pub(crate) fn new() -> Self {
        static NOTHING: &[(&str, &str)] = &[];
        Self { config: Box::new(NOTHING), members: Vec::new(), depth_limit: 32, states: Vec::new() }
    }

    /// Where configured values come from; nothing is configured unless this is called.
    pub fn config(mut self, config: impl Config + 'static) -> Self {
        self.config = Box::new(config);
        self
    }

    /// Adds modules.
    pub fn modules(mut self, set: ModuleSet) -> Self {
        self.members
            .extend(set.descriptors().iter().map(|descriptor| Member { descriptor: **descriptor, written: None }));
        self
    }

    /// Adds a hand-written module.
    #[expect(clippy::should_implement_trait, reason = "a builder adds modules, not numbers")]
    pub fn add(mut self, module: Box<dyn ModuleTrait>) -> Self {
        self.members.push(Member { descriptor: handwritten::descriptor(module.info()), written: Some(module) });
        self
    }

    /// How deeply calls may be nested: 32 unless set, and at least 1.
    pub fn depth_limit(mut self, limit: u32) -> Self {
        self.depth_limit = limit.max(1);
        self
    }

    /// What a module has saved earlier, for it to take back between `on_init` and `on_start`.
    pub fn state(mut self, state: SavedState) -> Self {
        self.states.push(state);
        self
    }

    /// Checks the modules and their configuration against each other and finds the order in which they start.
    ///
    /// # Errors
    /// Every [`BuildFault`] there is.
    pub fn build(self) -> Result<Runtime, BuildError> {
        let descriptors: Vec<Descriptor> = self.members.iter().map(|member| member.descriptor).collect();
        let set: Vec<&Descriptor> = descriptors.iter().collect();
        let mut choices = Vec::new();
        let chosen = self.choose_providers(&mut choices);
        let mut faults: Vec<BuildFault> = set::faults(&set, &chosen).map(BuildFault::Set).collect();
        self.check_keys(&mut faults);
        self.check_states(&mut faults);
        faults.append(&mut choices);
        let providers = providers(&set, &chosen);
        let order = start_order(&providers).unwrap_or_else(|| {
            faults.push(BuildFault::Cycle { path: cycle(&set, &chosen) });
            Vec::new()
        });
        if !faults.is_empty() {
            return Err(BuildError { faults });
        }
        let slots: Box<[Slot]> = self
            .members
            .into_iter()
            .enumerate()
            .map(|(at, member)| Slot::new(ModuleId(at as u32), member.descriptor, member.written))
            .collect();
        let names = names(&slots, &chosen);
        let topics = Topics::new(&slots);
        let Self { config, depth_limit, states, .. } = self;
        let inner = |this: &Weak<Inner>| Inner {
            slots,
            order,
            providers,
            names,
            topics,
            config,
            depth_limit,
            states,
            moving: AtomicBool::new(false),
            this: this.clone(),
        };
        Ok(Runtime { inner: Arc::new_cyclic(inner) })
    }

    fn check_keys(&self, faults: &mut Vec<BuildFault>) {
        let keys = self.config.keys();
        for (at, &(module, key)) in keys.iter().enumerate() {
            if keys[..at].contains(&(module, key)) {
                faults.push(BuildFault::KeyTwice { module: module.to_string(), key: key.to_string() });
                continue;
            }
            if module == SERVICES {
                continue;
            }
            if module.is_empty() {
                faults.push(BuildFault::BareKey { key: key.to_string() });
                continue;
            }
            let (module_name, key_name) = (module.to_string(), key.to_string());
            match self.members.iter().find(|member| member.descriptor.info.name == module) {
                None => faults.push(BuildFault::UnknownModule {
                    module: module_name,
                    key: key_name,
                    known: joined(self.members.iter().map(|member| member.descriptor.info.name)),
                }),
                Some(member) if member.written.is_none() => {
                    if !member.descriptor.config().any(|known| known.name == key) {
                        faults.push(BuildFault::UnknownKey {
                            module: module_name,
                            key: key_name,
                            known: joined(member.descriptor.config().map(|key| key.name)),
                        });
                    }
                }
                Some(_) => {}
            }
        }
    }

    fn check_states(&self, faults: &mut Vec<BuildFault>) {
        for (at, state) in self.states.iter().enumerate() {
            if self.states[..at].iter().any(|before| before.module == state.module) {
                faults.push(BuildFault::StateTwice { module: state.module.clone() });
            }
            if !self.members.iter().any(|member| member.descriptor.info.name == state.module) {
                faults.push(BuildFault::UnknownState {
                    module: state.module.clone(),
                    known: joined(self.members.iter().map(|member| member.descriptor.info.name)),
                });
            }
        }
    }

    /// Of each service, the one provider that its name stands for.
    fn choose_providers(&self, faults: &mut Vec<BuildFault>) -> Vec<(&'static str, usize)> {
        let mut chosen: Vec<(&'static str, usize)> = Vec::new();
        let mut seen: Vec<&'static str> = Vec::new();
        let provides = |at: usize, service: &str| self.members[at].descriptor.info.provides.contains(&service);
        for member in &self.members {
            for &service in member.descriptor.info.provides {
                if seen.contains(&service) {
                    continue;
                }
                let providers: Vec<usize> = (0..self.members.len()).filter(|at| provides(*at, service)).collect();
                let name = |at: usize| self.members[at].descriptor.info.name;
                let choice = match (self.config.value(SERVICES, service), providers.as_slice()) {
                    (Some(found), _) => {
                        let choice = providers.iter().copied().find(|at| name(*at) == found);
                        if choice.is_none() {
                            faults.push(BuildFault::Choice {
                                service: service.to_string(),
                                found: found.to_string(),
                                known: joined(providers.iter().map(|at| name(*at))),
                            });
                        }
                        choice
                    }
                    (None, [first, second, ..]) => {
                        faults.push(BuildFault::Providers {
                            service: service.to_string(),
                            first: name(*first).to_string(),
                            second: name(*second).to_string(),
                        });
                        None
                    }
                    (None, providers) => providers.first().copied(),
                };
                seen.push(service);
                chosen.extend(choice.map(|choice| (service, choice)));
            }
        }
        for (section, service) in self.config.keys() {
            if section == SERVICES && !seen.contains(&service) {
                faults.push(BuildFault::Choice {
                    service: service.to_string(),
                    found: self.config.value(SERVICES, service).unwrap_or_default().to_string(),
                    known: "nobody does".to_string(),
                });
            }
        }
        chosen
    }
}

fn joined<'a>(names: impl Iterator<Item = &'a str>) -> String {
    let names: Vec<&str> = names.collect();
    if names.is_empty() { "none".to_string() } else { names.join(", ") }
}

/// For each module and each of its dependencies, who meets it.
fn providers(set: &[&Descriptor], chosen: Chosen<'_>) -> Vec<Vec<Option<usize>>> {
    let of = |descriptor: &&Descriptor| {
        let dependencies = descriptor.info.dependencies.iter();
        dependencies.map(|dependency| set::provider(set, chosen, &dependency)).collect()
    };
    set.iter().map(of).collect()
}

/// The order in which modules start: each after what it needs, else as they were listed. None when there is a circle.
fn start_order(providers: &[Vec<Option<usize>>]) -> Option<Vec<usize>> {
    let mut waits = alloc::vec![0_usize; providers.len()];
    let mut needed_by: Vec<Vec<usize>> = alloc::vec![Vec::new(); providers.len()];
    for (module, needs) in providers.iter().enumerate() {
        for &provider in needs.iter().flatten() {
            waits[module] += 1;
            needed_by[provider].push(module);
        }
    }
    let mut ready: BinaryHeap<Reverse<usize>> =
        (0..providers.len()).filter(|module| waits[*module] == 0).map(Reverse).collect();
    let mut order = Vec::with_capacity(providers.len());
    while let Some(Reverse(module)) = ready.pop() {
        order.push(module);
        for &dependent in &needed_by[module] {
            waits[dependent] -= 1;
            if waits[dependent] == 0 {
                ready.push(Reverse(dependent));
            }
        }
    }
    (order.len() == providers.len()).then_some(order)
}

/// A circle of modules, as a path.
fn cycle(set: &[&Descriptor], chosen: Chosen<'_>) -> String {
    let len = set.len();
    let (mut marks, mut path, mut next) = (alloc::vec![0; len], alloc::vec![0; len], alloc::vec![0; len]);
    let mut walk = Walk { marks: &mut marks, path: &mut path, next: &mut next };
    let (start, end) = set::cycle(set, chosen, &mut walk).unwrap_or((0, 0));
    set::cycle_path(set, &path[start..end])
}

/// Every name of every request, by module and by service.
fn names(slots: &[Slot], chosen: Chosen<'_>) -> Names {
    let (mut targets, mut names) = (Vec::new(), Vec::new());
    for (at, slot) in slots.iter().enumerate() {
        // A name stands for the module of that name first.
        let is_module = |name: &str| slots.iter().any(|slot| slot.name() == name);
        let services = chosen.iter().filter(|(service, provider)| *provider == at && !is_module(service));
        for target in core::iter::once(slot.name()).chain(services.map(|(service, _)| *service)) {
            targets.push(target);
            for (index, entry) in slot.descriptor.entries().enumerate() {
                if let EntryKind::Request(request) = &entry.kind {
                    names.push((target, request.name, Route { module: at as u32, request: index as u32 }));
                }
            }
        }
    }
    Names::new(targets, names.into_iter())
}
