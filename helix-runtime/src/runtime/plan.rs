//! How modules fit together: who provides what, and in which order they start.

use alloc::collections::BinaryHeap;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::cmp::Reverse;

use crate::config::{Config, SERVICES};
use crate::descriptor::Descriptor;
use crate::info::ModuleInfo;
use crate::runtime::faults::{BuildFault, joined};
use crate::set::{self, Chosen, Walk};

/// How a set of modules is to run.
#[derive(Default)]
pub(super) struct Plan {
    /// The order in which they start, and the reverse of that in which they stop.
    pub(super) order: Vec<usize>,
    /// For each module and each of its dependencies, who meets it.
    pub(super) needs: Vec<Vec<Option<usize>>>,
    /// Of each service, who is asked.
    pub(super) chosen: Vec<(&'static str, usize)>,
}

impl Plan {
    /// The plan of a set, and what is wrong with it. If it is `open`, what is missing may come later.
    pub(super) fn new(set: &[&Descriptor], config: &dyn Config, open: bool) -> (Self, Vec<BuildFault>) {
        let mut choices = Vec::new();
        let chosen = choose_providers(set, config, open, &mut choices);
        let mut faults: Vec<BuildFault> = set::faults(set, &chosen, open).map(BuildFault::Set).collect();
        faults.append(&mut choices);
        let needs = providers(set, &chosen);
        let order = start_order(&needs).unwrap_or_else(|| {
            faults.push(BuildFault::Cycle { path: cycle(set, &chosen) });
            Vec::new()
        });
        (Self { order, needs, chosen }, faults)
    }

    /// Those that need `module`, directly or over others, in the order in which they start; whether those count for which
    /// it is optional is `optional`'s to say.
    pub(super) fn dependents(&self, module: usize, set: &[&Descriptor], optional: bool) -> Vec<usize> {
        let mut reached = alloc::vec![false; self.needs.len()];
        reached[module] = true;
        let mut found = Vec::new();
        for &at in &self.order {
            let needs = self.needs[at].iter().zip(set[at].info.dependencies.iter());
            let reaches = |(met, dependency): (&Option<usize>, crate::info::Dependency)| {
                met.is_some_and(|met| reached[met]) && (optional || !dependency.optional)
            };
            if at != module && needs.into_iter().any(reaches) {
                reached[at] = true;
                found.push(at);
            }
        }
        found
    }
}

/// Of each service, the one provider that its name stands for.
fn choose_providers(
    set: &[&Descriptor],
    config: &dyn Config,
    open: bool,
    faults: &mut Vec<BuildFault>,
) -> Vec<(&'static str, usize)> {
    let mut chosen: Vec<(&'static str, usize)> = Vec::new();
    let mut seen: Vec<&'static str> = Vec::new();
    let provides = |at: usize, service: &str| set[at].info.provides.contains(&service);
    for member in set {
        for &service in member.info.provides {
            if seen.contains(&service) {
                continue;
            }
            let providers: Vec<usize> = (0..set.len()).filter(|at| provides(*at, service)).collect();
            let name = |at: usize| set[at].info.name;
            let choice = match (config.value(SERVICES, service), providers.as_slice()) {
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
    for (section, service) in config.keys() {
        if section == SERVICES && !open && !seen.contains(&service) {
            faults.push(BuildFault::Choice {
                service: service.to_string(),
                found: config.value(SERVICES, service).unwrap_or_default().to_string(),
                known: "nobody does".to_string(),
            });
        }
    }
    chosen
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

/// How modules would run together, known by their metadata alone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StartPlan {
    /// The order in which they start, as indices; empty if they need each other in a circle.
    pub order: Vec<usize>,
    /// For each of them and each of its dependencies, who meets it.
    pub needs: Vec<Vec<Option<usize>>>,
    /// What is wrong.
    pub faults: Vec<BuildFault>,
}

impl StartPlan {
    /// Plans for a set, with the configuration to choose among the providers of a service.
    pub fn new(set: &[ModuleInfo], config: &dyn Config) -> Self {
        let descriptors: Vec<Descriptor> = set.iter().map(|info| Descriptor::of_info(*info)).collect();
        let (plan, faults) = Plan::new(&descriptors.iter().collect::<Vec<_>>(), config, false);
        Self { order: plan.order, needs: plan.needs, faults }
    }
}
