//! What is right for a list of modules, in the plainest words.

use helix_runtime::{BuildFault, Dependency, Fault, ModuleInfo, ModuleKind, check_name};

use super::cases::{Case, SERVICES};

fn will_do(need: &Dependency, module: &ModuleInfo) -> bool {
    let requirement = semver::VersionReq::parse(need.requirement.as_str()).unwrap();
    requirement.matches(&semver::Version::parse(&module.version.to_string()).unwrap())
}

impl Case {
    fn named(&self, name: &str) -> Option<usize> {
        self.modules.iter().position(|module| module.name == name)
    }

    fn providers(&self, service: &str) -> Vec<usize> {
        (0..self.modules.len()).filter(|at| self.modules[*at].provides.contains(&service)).collect()
    }

    /// The provider that a service's name stands for.
    fn chosen(&self, service: &str) -> Option<usize> {
        let providers = self.providers(service);
        match self.choices.get(service) {
            Some(choice) => providers.into_iter().find(|at| self.modules[*at].name == *choice),
            None => (providers.len() == 1).then(|| providers[0]),
        }
    }

    /// Who meets a need: a module of that name, the chosen provider, one that will do, any.
    pub fn meets(&self, need: &Dependency) -> Option<usize> {
        let providers = self.providers(need.name);
        let fits = providers.iter().copied().find(|at| will_do(need, &self.modules[*at]));
        self.named(need.name).or(self.chosen(need.name)).or(fits).or(providers.first().copied())
    }

    /// Of each module, those it needs.
    pub fn edges(&self) -> Vec<Vec<usize>> {
        let of = |module: &ModuleInfo| module.dependencies.iter().filter_map(|need| self.meets(&need)).collect();
        self.modules.iter().map(of).collect()
    }

    /// Again and again the first in the list of those whose needs have been met.
    pub fn order(&self) -> Option<Vec<usize>> {
        let edges = self.edges();
        let mut order = Vec::new();
        while order.len() < edges.len() {
            let is_next = |at: &usize| !order.contains(at) && edges[*at].iter().all(|needed| order.contains(needed));
            order.push((0..edges.len()).find(is_next)?);
        }
        Some(order)
    }

    /// All that is wrong, circles aside. A module has one bad name or is one too many; a need fails in one way.
    pub fn faults(&self) -> Vec<BuildFault> {
        let mut faults = Vec::new();
        for (at, module) in self.modules.iter().enumerate() {
            let ModuleInfo { name, kind, .. } = *module;
            let mut names = core::iter::once(name).chain(module.provides.iter().copied());
            if let Some(name) = names.find(|bad| !check_name(bad) || *bad == "services") {
                faults.push(BuildFault::Set(Fault::Name { name }));
            } else if self.named(name) < Some(at) {
                faults.push(BuildFault::Set(Fault::Duplicate { name }));
            }
            for dependency in module.dependencies.iter() {
                let fault = match self.meets(&dependency).map(|meets| &self.modules[meets]) {
                    None if dependency.optional => continue,
                    None => Fault::Missing { module: name, dependency },
                    Some(provider) if !will_do(&dependency, provider) => {
                        Fault::Version { module: name, dependency, provider: provider.name, found: provider.version }
                    }
                    Some(provider) => {
                        let layered = matches!(kind, Some(ModuleKind::System | ModuleKind::Plugin));
                        let mut features = dependency.features.iter();
                        match (kind, features.find(|feature| !provider.features.contains(feature))) {
                            (Some(kind), _) if layered && provider.kind != Some(ModuleKind::Core) => {
                                Fault::Layer { module: name, kind, provider: provider.name, found: provider.kind }
                            }
                            (_, Some(feature)) => Fault::Feature { module: name, provider: provider.name, feature },
                            _ => continue,
                        }
                    }
                };
                faults.push(BuildFault::Set(fault));
            }
        }
        for service in SERVICES.into_iter().chain(["Bad"]) {
            let providers = self.providers(service);
            let names: Vec<_> = providers.iter().map(|at| self.modules[*at].name).collect();
            let service = service.to_owned();
            match (self.choices.get(&*service), &names[..]) {
                (Some(found), names) if !names.contains(found) => faults.push(BuildFault::Choice {
                    service,
                    found: (*found).to_owned(),
                    known: if names.is_empty() { "nobody does".into() } else { names.join(", ") },
                }),
                (None, [first, second, ..]) => faults.push(BuildFault::Providers {
                    service,
                    first: (*first).to_owned(),
                    second: (*second).to_owned(),
                }),
                _ => {}
            }
        }
        faults
    }

    /// Whether a path leads along needs, from a module back to it, and to no module twice.
    pub fn is_circle(&self, path: &str) -> bool {
        let steps: Vec<&str> = path.split(" -> ").collect();
        let edges = self.edges();
        let leads = |from: &str, to: &str| {
            (0..edges.len()).any(|at| {
                self.modules[at].name == from && edges[at].iter().any(|needed| self.modules[*needed].name == to)
            })
        };
        let [inner @ .., last] = &steps[..] else { return false };
        let called = |name: &str| self.modules.iter().filter(|module| module.name == name).count();
        let twice = inner.iter().any(|name| inner.iter().filter(|other| *other == name).count() > called(name));
        inner.first() == Some(last) && !twice && steps.windows(2).all(|step| leads(step[0], step[1]))
    }
}
