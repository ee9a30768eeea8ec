//! Lists of modules that need each other at random.

use std::collections::BTreeMap;

use helix_runtime::{Dependencies, Dependency, ModuleInfo, ModuleKind, ModuleVersion, check_name};
use proptest::prelude::*;
use proptest::sample::{Index, select, subsequence};

/// The services; one is called as a module is.
pub const SERVICES: [&str; 3] = ["s0", "s1", "m0"];
const FEATURES: [&str; 2] = ["f0", "f1"];

/// A list of modules and the configuration's choices of providers.
#[derive(Debug, Clone)]
pub struct Case {
    pub modules: Vec<ModuleInfo>,
    pub choices: BTreeMap<&'static str, &'static str>,
}

fn leaked<T>(list: Vec<T>) -> &'static [T] {
    list.leak()
}

fn module_name(index: usize) -> &'static str {
    ["m0", "m1", "m2", "m3", "m4", "m5", "m6", "m7"][index]
}

/// Graphs in which most things may be wrong.
fn wild() -> impl Strategy<Value = Case> {
    let target =
        prop_oneof![6 => (0..8_usize).prop_map(module_name), 2 => select(SERVICES.to_vec()), 1 => Just("gone")];
    let requirement = prop_oneof![4 => Just("*"), 1 => select(vec!["^1", ">=1.0, <2.0", "~1.2", "=2.0.0", "2.0.0-b"])];
    let need = (target, requirement, proptest::option::weighted(0.1, select(FEATURES.to_vec())), any::<bool>());
    let need = need.prop_map(|(target, requirement, feature, optional)| {
        let need = Dependency::new(target).version(requirement).features(leaked(feature.into_iter().collect()));
        if optional { need.optional() } else { need }
    });
    let name = prop_oneof![
        20 => Just(None),
        1 => (0..8_usize).prop_map(|at| Some(module_name(at))),
        1 => select(vec!["-", "Bad", "a..b", "services"]).prop_map(Some),
    ];
    let kind = proptest::option::weighted(
        0.2,
        select(vec![ModuleKind::Core, ModuleKind::System, ModuleKind::Plugin, ModuleKind::App]),
    );
    let provides = prop_oneof![
        12 => subsequence(SERVICES.to_vec(), 0..2),
        1 => Just(vec!["s0", "s0"]),
        1 => Just(vec!["s1", "Bad"]),
    ];
    let module = (
        name,
        select(vec!["1.0.0", "1.2.3", "2.0.0", "2.0.0-b"]),
        kind,
        proptest::collection::vec(need, 0..4),
        provides,
        subsequence(FEATURES.to_vec(), 0..3),
    );
    let module = module.prop_map(|(name, version, kind, needs, provides, features)| {
        let info = ModuleInfo::new(name.unwrap_or("?")).version_str(version);
        let info = info.requires(leaked(needs)).provides(leaked(provides)).features(leaked(features));
        ModuleInfo { kind, ..info }
    });
    let choice = prop_oneof![4 => (0..8_usize).prop_map(module_name), 1 => Just("nobody")];
    let choices = proptest::collection::btree_map(select(SERVICES.to_vec()), choice, 0..3);
    (proptest::collection::vec(module, 0..9), choices).prop_map(|(mut modules, choices)| {
        for (at, module) in modules.iter_mut().enumerate() {
            if module.name == "?" {
                module.name = module_name(at % 8);
            }
        }
        Case { modules, choices }
    })
}

/// Graphs that are mostly right: each need is of a module of a lower rank, and will do.
pub fn tame() -> impl Strategy<Value = Case> {
    let rank = Just((0..8_usize).collect::<Vec<_>>()).prop_shuffle();
    (wild(), rank, any::<[u8; 3]>()).prop_map(|(mut case, rank, pick)| {
        case.modules.truncate(8);
        for (at, module) in case.modules.iter_mut().enumerate() {
            let version = if module.version.major == 1 { module.version } else { ModuleVersion::new(1, 0, 0) };
            let provides: Vec<_> = module.provides.iter().copied().filter(|name| check_name(name)).collect();
            let info = ModuleInfo::new(module_name(at)).provides(leaked(provides));
            *module = ModuleInfo { version, dependencies: module.dependencies, ..info };
        }
        let modules = case.modules.clone();
        let providers = |service: &str| -> Vec<usize> {
            (0..modules.len()).filter(|at| modules[*at].provides.contains(&service)).collect()
        };
        for (at, module) in case.modules.iter_mut().enumerate() {
            let lower = |name: &str| {
                let named = modules.iter().position(|module| module.name == name);
                let meets = named.map_or_else(|| providers(name), |named| vec![named]);
                meets.iter().all(|meets| rank[*meets] < rank[at]) && !meets.is_empty()
            };
            let needs =
                module.dependencies.iter().filter(|need| lower(need.name) || need.optional && need.name == "gone");
            let needs = needs.map(|need| {
                let requirement = if need.requirement.as_str() == "^1" { "^1" } else { "*" };
                Dependency { features: &[], ..need }.version(requirement)
            });
            module.dependencies = Dependencies::Detailed(leaked(needs.collect()));
        }
        case.choices.clear();
        for (service, pick) in SERVICES.into_iter().zip(pick) {
            if let providers @ [_, _, ..] = &providers(service)[..] {
                case.choices.insert(service, modules[providers[usize::from(pick) % providers.len()]].name);
            }
        }
        case
    })
}

/// Graphs that would be right, but for a need or two more.
fn looped() -> impl Strategy<Value = Case> {
    let more = (any::<Index>(), any::<Index>(), any::<bool>());
    (tame(), proptest::collection::vec(more, 1..3)).prop_map(|(mut case, more)| {
        let count = case.modules.len();
        for (from, to, optional) in more.into_iter().filter(|_| count > 0) {
            let need = Dependency::new(module_name(to.index(count)));
            let module = &mut case.modules[from.index(count)];
            let mut needs: Vec<_> = module.dependencies.iter().collect();
            needs.push(if optional { need.optional() } else { need });
            module.dependencies = Dependencies::Detailed(leaked(needs));
        }
        case
    })
}

pub fn any_graph() -> impl Strategy<Value = Case> {
    prop_oneof![wild(), tame(), looped()]
}
