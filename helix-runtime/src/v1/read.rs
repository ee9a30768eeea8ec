//! Metadata of the first version as those of the second: checked, and kept for as long as the program runs.

use alloc::boxed::Box;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use super::{ModuleDependency, ModuleMetadata};
use crate::config::SERVICES;
use crate::error::{ModuleError, ModuleResult};
use crate::info::{Dependencies, Dependency, ModuleInfo, check_name};
use crate::lock::Lock;
use crate::version::{ModuleVersion, Requirement};

type Known = (&'static ModuleMetadata, ModuleResult<ModuleInfo>);

/// What was read so far. A [`ModuleInfo`] and its texts live for ever, so each is kept once for all metadata that are
/// equal: a module that is made again and again takes no more room the second time.
static KNOWN: Lock<Vec<Known>> = Lock::new(Vec::new());

/// The metadata as a [`ModuleInfo`], or everything that is wrong with them.
pub(super) fn info(metadata: &ModuleMetadata) -> ModuleResult<ModuleInfo> {
    let mut known = KNOWN.lock();
    if let Some((_, info)) = known.iter().find(|(before, _)| *before == metadata) {
        return info.clone();
    }
    let kept: &'static ModuleMetadata = Box::leak(Box::new(metadata.clone()));
    let info = read(kept);
    known.push((kept, info.clone()));
    info
}

fn read(metadata: &'static ModuleMetadata) -> ModuleResult<ModuleInfo> {
    let mut check = Check { faults: Vec::new() };
    check.module_name(&metadata.name);
    let version = check.version(&metadata.version);
    let requirements: Vec<Requirement> =
        metadata.dependencies.iter().filter_map(|dependency| check.dependency(dependency)).collect();
    check.names("provides", &metadata.provides);
    check.names("features", &metadata.features);
    check.names("permissions", &metadata.permissions);
    let (Some(version), true) = (version, check.faults.is_empty()) else {
        return Err(ModuleError::new(format!("v1 module `{}`: {}", metadata.name, check.faults.join("; "))));
    };
    Ok(ModuleInfo {
        name: &metadata.name,
        version,
        description: &metadata.description,
        author: &metadata.author,
        license: &metadata.license,
        kind: metadata.kind,
        flags: metadata.flags,
        dependencies: dependencies(&metadata.dependencies, &requirements),
        provides: texts(&metadata.provides),
        features: texts(&metadata.features),
        permissions: texts(&metadata.permissions),
    })
}

fn dependencies(from: &'static [ModuleDependency], requirements: &[Requirement]) -> Dependencies {
    let dependencies: Vec<Dependency> = from
        .iter()
        .zip(requirements)
        .map(|(dependency, requirement)| Dependency {
            name: &dependency.name,
            requirement: *requirement,
            features: texts(&dependency.features),
            optional: dependency.optional,
        })
        .collect();
    Dependencies::Detailed(dependencies.leak())
}

fn texts(from: &'static [String]) -> &'static [&'static str] {
    from.iter().map(String::as_str).collect::<Vec<_>>().leak()
}

/// Collects what is wrong.
struct Check {
    faults: Vec<String>,
}

const NAME: &str = "lower-case words and digits joined by single `.`, `_`, `/` or `-`, at most 64 bytes";

impl Check {
    fn fault(&mut self, what: &str, found: &str, expected: &str) {
        self.faults.push(format!("{what}: found `{found}`, expected {expected}"));
    }

    fn module_name(&mut self, name: &str) {
        if name == SERVICES {
            self.fault("name", name, "another: the configuration chooses providers under this one");
        } else {
            self.name("name", name);
        }
    }

    fn name(&mut self, what: &str, name: &str) {
        if !check_name(name) {
            self.fault(what, name, NAME);
        }
    }

    fn names(&mut self, what: &str, names: &[String]) {
        for name in names {
            self.name(what, name);
        }
    }

    fn version(&mut self, text: &'static str) -> Option<ModuleVersion> {
        ModuleVersion::parse(text)
            .inspect_err(|error| {
                self.fault("version", text, &format!("major.minor.patch such as `1.0.0` ({error})"));
            })
            .ok()
    }

    fn dependency(&mut self, dependency: &'static ModuleDependency) -> Option<Requirement> {
        let what = format!("dependency `{}`", dependency.name);
        self.name("dependency", &dependency.name);
        self.names(&format!("{what}, features"), &dependency.features);
        let text = &dependency.requirement;
        Requirement::parse(text)
            .inspect_err(|error| {
                self.fault(&format!("{what}, requirement"), text, &format!("one such as `^1.2` or `*` ({error})"));
            })
            .ok()
    }
}
