//! The rules that modules in one runtime must keep with each other: at compile time in `modules!`, at run time in `build`.

use alloc::string::String;
use core::fmt;

use crate::check::same;
use crate::config::SERVICES;
use crate::descriptor::Descriptor;
use crate::info::{Dependency, ModuleInfo, ModuleKind, check_name};
use crate::text::Text;
use crate::version::ModuleVersion;

/// Modules that are to run together.
///
/// [`modules!`](crate::modules) makes one.
#[derive(Debug, Clone, Copy)]
pub struct ModuleSet {
    pub(crate) descriptors: &'static [&'static Descriptor],
    /// Whether others may come later.
    pub(crate) open: bool,
}

impl ModuleSet {
    #[doc(hidden)]
    pub const fn new(descriptors: &'static [&'static Descriptor], open: bool) -> Self {
        Self { descriptors, open }
    }

    /// The modules' descriptors, in the order in which they were listed.
    pub fn descriptors(&self) -> &'static [&'static Descriptor] {
        self.descriptors
    }
}

/// Why modules cannot run together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Fault {
    /// Two modules have one name.
    Duplicate {
        /// The name.
        name: &'static str,
    },
    /// A module's name, or that of a service it provides, is none.
    Name {
        /// The name.
        name: &'static str,
    },
    /// Nobody is or provides what a module needs.
    Missing {
        /// The module that needs it.
        module: &'static str,
        /// What it needs.
        dependency: Dependency,
    },
    /// What a module needs is there in another version.
    Version {
        /// The module that needs it.
        module: &'static str,
        /// What it needs.
        dependency: Dependency,
        /// Who is or provides it.
        provider: &'static str,
        /// In which version.
        found: ModuleVersion,
    },
    /// What a module needs lacks a feature.
    Feature {
        /// The module that needs it.
        module: &'static str,
        /// Who is or provides what it needs.
        provider: &'static str,
        /// The feature that is missing.
        feature: &'static str,
    },
    /// A system or plugin needs something that is not core.
    Layer {
        /// The module that needs it.
        module: &'static str,
        /// Its layer.
        kind: ModuleKind,
        /// Who is or provides what it needs.
        provider: &'static str,
        /// The provider's layer.
        found: Option<ModuleKind>,
    },
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.text().as_str())
    }
}

impl Fault {
    /// What is wrong and what to do, as far as const can say it.
    const fn text(&self) -> Text {
        let mut text = Text::new();
        match self {
            Self::Duplicate { name } => {
                text.push("two modules are called `");
                text.push(name);
                text.push("`: rename one with `name = \"..\"`");
            }
            Self::Name { name } => {
                text.push("bad name `");
                text.push(name);
                text.push("`: a name is lower-case words and digits joined by single `.`, `_`, `/` or `-`, at most 64 bytes, and not `services`");
            }
            Self::Missing { module, dependency } => {
                text.push("`");
                text.push(module);
                text.push("` needs `");
                text.push(dependency.name);
                text.push("`, which no module here is or provides: add one, make it `optional = true`, or end the list with `..` if it comes later");
            }
            Self::Version { module, dependency, provider, found } => {
                text.push("`");
                text.push(module);
                text.push("` needs `");
                text.push(dependency.name);
                text.push("` in a version that matches `");
                text.push(dependency.requirement.as_str());
                text.push("`, but `");
                text.push(provider);
                text.push("` is ");
                text.number(found.major);
                text.push(".");
                text.number(found.minor);
                text.push(".");
                text.number(found.patch);
                if !found.pre.is_empty() {
                    text.push("-");
                    text.push(found.pre);
                }
            }
            Self::Feature { module, provider, feature } => {
                text.push("`");
                text.push(module);
                text.push("` needs the feature `");
                text.push(feature);
                text.push("` of `");
                text.push(provider);
                text.push("`, which does not list it in `features`");
            }
            Self::Layer { module, kind, provider, found } => {
                text.push("`");
                text.push(module);
                text.push("` is of kind `");
                text.push(kind.as_str());
                text.push("` and may depend on `core` alone, but needs `");
                text.push(provider);
                text.push("`, which is ");
                match found {
                    Some(found) => {
                        text.push("of kind `");
                        text.push(found.as_str());
                        text.push("`");
                    }
                    None => text.push("of no kind"),
                }
                text.push(": depend on its contract instead, or make this an `app`");
            }
        }
        text
    }
}

const fn provides(info: &ModuleInfo, name: &str) -> bool {
    let mut at = 0;
    while at < info.provides.len() {
        if same(info.provides[at], name) {
            return true;
        }
        at += 1;
    }
    false
}

/// Of services, which module provides them.
pub(crate) type Chosen<'a> = &'a [(&'static str, usize)];

/// The module that a dependency stands for: the one of that name, else the service's chosen provider; where nothing was
/// chosen, of several providers the first that will do, else the first.
pub(crate) const fn provider(set: &[&Descriptor], chosen: Chosen<'_>, dependency: &Dependency) -> Option<usize> {
    let mut at = 0;
    while at < set.len() {
        if same(set[at].info.name, dependency.name) {
            return Some(at);
        }
        at += 1;
    }
    let mut at = 0;
    while at < chosen.len() {
        if same(chosen[at].0, dependency.name) {
            return Some(chosen[at].1);
        }
        at += 1;
    }
    let mut first = None;
    let mut at = 0;
    while at < set.len() {
        let info = &set[at].info;
        if provides(info, dependency.name) {
            if dependency.requirement.matches(&info.version) {
                return Some(at);
            }
            if first.is_none() {
                first = Some(at);
            }
        }
        at += 1;
    }
    first
}

/// The first fault of one module at or after dependency `from`, and where it was found.
///
/// A duplicate name counts as found before the first dependency; `from` past the last dependency finds nothing.
const fn fault(
    set: &[&Descriptor],
    chosen: Chosen<'_>,
    module: usize,
    open: bool,
    from: usize,
) -> Option<(usize, Fault)> {
    let info = &set[module].info;
    if from == 0 {
        if let Some(name) = bad_name(info) {
            return Some((0, Fault::Name { name }));
        }
        let mut other = 0;
        while other < module {
            if same(set[other].info.name, info.name) {
                return Some((0, Fault::Duplicate { name: info.name }));
            }
            other += 1;
        }
    }
    let mut at = if from == 0 { 0 } else { from - 1 };
    while at < info.dependencies.len() {
        let dependency = info.dependencies.get(at);
        at += 1;
        let Some(found) = provider(set, chosen, &dependency) else {
            if dependency.optional || open {
                continue;
            }
            return Some((at, Fault::Missing { module: info.name, dependency }));
        };
        let provider = &set[found].info;
        if !dependency.requirement.matches(&provider.version) {
            let fault =
                Fault::Version { module: info.name, dependency, provider: provider.name, found: provider.version };
            return Some((at, fault));
        }
        if let Some(kind) = info.kind
            && !kind.may_need(provider.kind)
        {
            let fault = Fault::Layer { module: info.name, kind, provider: provider.name, found: provider.kind };
            return Some((at, fault));
        }
        if let Some(feature) = missing_feature(&dependency, provider) {
            return Some((at, Fault::Feature { module: info.name, provider: provider.name, feature }));
        }
    }
    None
}

/// The section of the configuration that chooses providers has this name.
const fn bad_name(info: &ModuleInfo) -> Option<&'static str> {
    if !check_name(info.name) || same(info.name, SERVICES) {
        return Some(info.name);
    }
    let mut at = 0;
    while at < info.provides.len() {
        if !check_name(info.provides[at]) {
            return Some(info.provides[at]);
        }
        at += 1;
    }
    None
}

const fn missing_feature(dependency: &Dependency, provider: &ModuleInfo) -> Option<&'static str> {
    let mut at = 0;
    while at < dependency.features.len() {
        let mut offered = 0;
        while offered < provider.features.len() && !same(provider.features[offered], dependency.features[at]) {
            offered += 1;
        }
        if offered == provider.features.len() {
            return Some(dependency.features[at]);
        }
        at += 1;
    }
    None
}

/// Every fault of every module.
pub(crate) fn faults<'a>(
    set: &'a [&'a Descriptor],
    chosen: Chosen<'a>,
    open: bool,
) -> impl Iterator<Item = Fault> + 'a {
    (0..set.len()).flat_map(move |module| {
        let mut from = Some(0);
        core::iter::from_fn(move || {
            let (at, fault) = fault(set, chosen, module, open, from?)?;
            from = Some(at + 1);
            Some(fault)
        })
    })
}

/// A walk over dependencies: room for its marks, made by the caller.
pub(crate) struct Walk<'a> {
    /// 0 new, 1 on the path, 2 done.
    pub(crate) marks: &'a mut [u8],
    pub(crate) path: &'a mut [usize],
    pub(crate) next: &'a mut [usize],
}

/// Finds modules that need each other in a circle: a range of `walk.path`.
pub(crate) const fn cycle(set: &[&Descriptor], chosen: Chosen<'_>, walk: &mut Walk<'_>) -> Option<(usize, usize)> {
    let mut root = 0;
    while root < set.len() {
        let mut depth = 0;
        if walk.marks[root] == 0 {
            walk.marks[root] = 1;
            walk.path[0] = root;
            walk.next[0] = 0;
            depth = 1;
        }
        while depth > 0 {
            let module = walk.path[depth - 1];
            let info = &set[module].info;
            if walk.next[depth - 1] == info.dependencies.len() {
                walk.marks[module] = 2;
                depth -= 1;
                continue;
            }
            let dependency = info.dependencies.get(walk.next[depth - 1]);
            walk.next[depth - 1] += 1;
            let Some(needed) = provider(set, chosen, &dependency) else { continue };
            if walk.marks[needed] == 1 {
                let mut start = depth - 1;
                while walk.path[start] != needed {
                    start -= 1;
                }
                return Some((start, depth));
            }
            if walk.marks[needed] == 0 {
                walk.marks[needed] = 1;
                walk.path[depth] = needed;
                walk.next[depth] = 0;
                depth += 1;
            }
        }
        root += 1;
    }
    None
}

/// Shows a circle as a path that closes it: `a -> b -> a`.
pub(crate) fn cycle_path(set: &[&Descriptor], path: &[usize]) -> String {
    let mut text = String::new();
    for &module in path.iter().chain(path.first()) {
        if !text.is_empty() {
            text.push_str(" -> ");
        }
        text.push_str(set[module].info.name);
    }
    text
}

/// Checks one module of a list, at compile time.
#[doc(hidden)]
#[track_caller]
pub const fn check_member(set: &'static [&'static Descriptor], module: usize, open: bool) {
    if let Some((_, fault)) = fault(set, &[], module, open, 0) {
        panic!("{}", fault.text().as_str());
    }
}

/// Checks that a list of `N` modules has no circle, at compile time.
#[doc(hidden)]
#[track_caller]
pub const fn check_cycle<const N: usize>(set: &'static [&'static Descriptor]) {
    let mut walk = Walk { marks: &mut [0; N], path: &mut [0; N], next: &mut [0; N] };
    if let Some((start, end)) = cycle(set, &[], &mut walk) {
        let mut text = Text::new();
        text.push("modules need each other in a circle: ");
        let mut at = start;
        while at < end {
            text.push(set[walk.path[at]].info.name);
            text.push(" -> ");
            at += 1;
        }
        text.push(set[walk.path[start]].info.name);
        text.push("; let one of them go through an event instead");
        panic!("{}", text.as_str());
    }
}
