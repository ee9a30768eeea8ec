//! Metadata on the heap, and those of a newer module in this form.

use alloc::string::{String, ToString};
use alloc::vec::Vec;

use crate::info::{Dependency, ModuleFlags, ModuleInfo, ModuleKind};
use crate::version::Requirement;

/// A module's metadata, on the heap.
///
/// ```
/// use helix_runtime::v1::ModuleMetadata;
/// let metadata = ModuleMetadata {
///     description: "Tells the time".into(),
///     dependencies: vec!["timer".into()],
///     ..ModuleMetadata::new("clock", "1.2.0")
/// };
/// assert_eq!(metadata.dependencies[0].requirement, "*");
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ModuleMetadata {
    /// Its name.
    pub name: String,
    /// Its version, as text.
    pub version: String,
    /// What it does.
    pub description: String,
    /// Who wrote it.
    pub author: String,
    /// Its licence.
    pub license: String,
    /// Its layer, if it takes part in layering.
    pub kind: Option<ModuleKind>,
    /// How it is treated.
    pub flags: ModuleFlags,
    /// What it needs.
    pub dependencies: Vec<ModuleDependency>,
    /// The services it provides.
    pub provides: Vec<String>,
    /// What it offers to those who depend on it.
    pub features: Vec<String>,
    /// What it asks the host to allow.
    pub permissions: Vec<String>,
}

impl ModuleMetadata {
    /// A name and a version, and nothing else said.
    pub fn new(name: impl Into<String>, version: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            version: version.into(),
            description: String::new(),
            author: String::new(),
            license: String::new(),
            kind: None,
            flags: ModuleFlags::empty(),
            dependencies: Vec::new(),
            provides: Vec::new(),
            features: Vec::new(),
            permissions: Vec::new(),
        }
    }
}

impl From<&ModuleInfo> for ModuleMetadata {
    fn from(info: &ModuleInfo) -> Self {
        Self {
            name: info.name.to_string(),
            version: info.version.to_string(),
            description: info.description.to_string(),
            author: info.author.to_string(),
            license: info.license.to_string(),
            kind: info.kind,
            flags: info.flags,
            dependencies: info.dependencies.iter().map(|dependency| ModuleDependency::from(&dependency)).collect(),
            provides: owned(info.provides),
            features: owned(info.features),
            permissions: owned(info.permissions),
        }
    }
}

/// A module or a service that a module needs. A name alone becomes one that takes any version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ModuleDependency {
    /// The module's or the service's name.
    pub name: String,
    /// Which versions will do, as text: `^1.2`, or `*` for any release.
    pub requirement: String,
    /// Which features are needed.
    pub features: Vec<String>,
    /// Whether the module can do without.
    pub optional: bool,
}

impl From<&str> for ModuleDependency {
    fn from(name: &str) -> Self {
        Self {
            name: name.to_string(),
            requirement: Requirement::ANY.to_string(),
            features: Vec::new(),
            optional: false,
        }
    }
}

impl From<&Dependency> for ModuleDependency {
    fn from(dependency: &Dependency) -> Self {
        Self {
            name: dependency.name.to_string(),
            requirement: dependency.requirement.to_string(),
            features: owned(dependency.features),
            optional: dependency.optional,
        }
    }
}

fn owned(texts: &[&str]) -> Vec<String> {
    texts.iter().map(ToString::to_string).collect()
}
