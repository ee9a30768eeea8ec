//! What is known of a module without running it.

use bitflags::bitflags;

use crate::version::{ModuleVersion, Requirement};

/// Static metadata about a module, built in const.
///
/// ```
/// use helix_runtime::{ModuleFlags, ModuleInfo};
/// const INFO: ModuleInfo = ModuleInfo::new("my-module")
///     .version(1, 0, 0)
///     .description("My custom module")
///     .flags(ModuleFlags::ESSENTIAL)
///     .dependencies(&["timer"])
///     .provides(&["my.service"]);
/// assert_eq!(INFO.to_string(), "my-module 1.0.0");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ModuleInfo {
    /// Unique among the modules of a runtime; see [`check_name`].
    pub name: &'static str,
    /// The module's own version.
    pub version: ModuleVersion,
    /// What the module does, in a sentence.
    pub description: &'static str,
    /// Who wrote it.
    pub author: &'static str,
    /// Its licence, as an SPDX expression.
    pub license: &'static str,
    /// Its layer, if it takes part in layering.
    pub kind: Option<ModuleKind>,
    /// How it is treated, and what it is.
    pub flags: ModuleFlags,
    /// The modules and services it needs.
    pub dependencies: Dependencies,
    /// The services it provides.
    pub provides: &'static [&'static str],
    /// What it offers to those who depend on it.
    pub features: &'static [&'static str],
    /// What it asks the host to allow.
    pub permissions: &'static [&'static str],
}

impl ModuleInfo {
    /// A module's metadata with the seed's defaults: version 0.1.0, nothing else said.
    pub const fn new(name: &'static str) -> Self {
        Self {
            name,
            version: ModuleVersion::new(0, 1, 0),
            description: "",
            author: "",
            license: "",
            kind: None,
            flags: ModuleFlags::empty(),
            dependencies: Dependencies::Named(&[]),
            provides: &[],
            features: &[],
            permissions: &[],
        }
    }

    /// Sets the version.
    pub const fn version(self, major: u64, minor: u64, patch: u64) -> Self {
        Self { version: ModuleVersion::new(major, minor, patch), ..self }
    }

    /// Sets the version from text. Panics (at compile time in a const) when it is none.
    #[track_caller]
    pub const fn version_str(self, version: &'static str) -> Self {
        match ModuleVersion::parse(version) {
            Ok(version) => Self { version, ..self },
            Err(_) => panic!("not a semantic version: expected major.minor.patch, such as 1.0.0"),
        }
    }

    /// Sets the description.
    pub const fn description(self, description: &'static str) -> Self {
        Self { description, ..self }
    }

    /// Sets the author.
    pub const fn author(self, author: &'static str) -> Self {
        Self { author, ..self }
    }

    /// Sets the licence.
    pub const fn license(self, license: &'static str) -> Self {
        Self { license, ..self }
    }

    /// Sets the layer.
    pub const fn kind(self, kind: ModuleKind) -> Self {
        Self { kind: Some(kind), ..self }
    }

    /// Sets the flags.
    pub const fn flags(self, flags: ModuleFlags) -> Self {
        Self { flags, ..self }
    }

    /// Names what this module needs, in any version.
    pub const fn dependencies(self, names: &'static [&'static str]) -> Self {
        Self { dependencies: Dependencies::Named(names), ..self }
    }

    /// Says what this module needs, with versions and features.
    pub const fn requires(self, dependencies: &'static [Dependency]) -> Self {
        Self { dependencies: Dependencies::Detailed(dependencies), ..self }
    }

    /// Names the services this module provides.
    pub const fn provides(self, services: &'static [&'static str]) -> Self {
        Self { provides: services, ..self }
    }

    /// Names what this module offers to those who depend on it.
    pub const fn features(self, features: &'static [&'static str]) -> Self {
        Self { features, ..self }
    }

    /// Names what this module asks the host to allow.
    pub const fn permissions(self, permissions: &'static [&'static str]) -> Self {
        Self { permissions, ..self }
    }
}

impl core::fmt::Display for ModuleInfo {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "{} {}", self.name, self.version)
    }
}

/// A module's layer. Systems and plugins may depend on `Core` alone; a module without a kind on anything.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ModuleKind {
    /// Contracts and data structures.
    Core,
    /// Implements a core contract.
    System,
    /// Adds a feature.
    Plugin,
    /// Ties the others together.
    App,
}

impl ModuleKind {
    /// As it is written in the attribute.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Core => "core",
            Self::System => "system",
            Self::Plugin => "plugin",
            Self::App => "app",
        }
    }

    pub(crate) const fn may_need(self, other: Option<Self>) -> bool {
        match (self, other) {
            (Self::System | Self::Plugin, other) => matches!(other, Some(Self::Core)),
            (Self::Core | Self::App, _) => true,
        }
    }
}

bitflags! {
    /// How a module is treated (`ESSENTIAL`, `HOT_RELOADABLE`, `USERSPACE`) and what it is (the rest: tags).
    #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
    pub struct ModuleFlags: u32 {
        /// Cannot be removed while the system runs.
        const ESSENTIAL = 1;
        /// Can be replaced while it runs.
        const HOT_RELOADABLE = 1 << 1;
        /// Runs in a process of its own where there is one.
        const USERSPACE = 1 << 2;
        /// Drives hardware.
        const DRIVER = 1 << 3;
        /// Provides a file system.
        const FILESYSTEM = 1 << 4;
        /// Provides scheduling.
        const SCHEDULER = 1 << 5;
        /// Provides memory.
        const ALLOCATOR = 1 << 6;
        /// Guards the system.
        const SECURITY = 1 << 7;
    }
}

impl ModuleFlags {
    pub(crate) const NAMES: [(&'static str, Self); 8] = [
        ("ESSENTIAL", Self::ESSENTIAL),
        ("HOT_RELOADABLE", Self::HOT_RELOADABLE),
        ("USERSPACE", Self::USERSPACE),
        ("DRIVER", Self::DRIVER),
        ("FILESYSTEM", Self::FILESYSTEM),
        ("SCHEDULER", Self::SCHEDULER),
        ("ALLOCATOR", Self::ALLOCATOR),
        ("SECURITY", Self::SECURITY),
    ];
}

/// A module or a service that a module needs.
///
/// ```
/// use helix_runtime::Dependency;
/// const ECS: Dependency = Dependency::new("core/ecs").version(">=1.0, <2.0").features(&["queries"]);
/// assert_eq!(ECS.to_string(), "core/ecs >=1.0, <2.0 [queries]");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Dependency {
    /// The module's or the service's name.
    pub name: &'static str,
    /// Which versions of the providing module will do.
    pub requirement: Requirement,
    /// Which of its features are needed.
    pub features: &'static [&'static str],
    /// Whether the module can do without.
    pub optional: bool,
}

impl Dependency {
    /// Any version, no features, not optional.
    pub const fn new(name: &'static str) -> Self {
        Self { name, requirement: Requirement::ANY, features: &[], optional: false }
    }

    /// Sets the version requirement. Panics (at compile time in a const) when it is none.
    #[track_caller]
    pub const fn version(self, requirement: &'static str) -> Self {
        match Requirement::parse(requirement) {
            Ok(requirement) => Self { requirement, ..self },
            Err(_) => panic!("not a version requirement: expected one like `^1.2` or `>=1.0, <2.0`"),
        }
    }

    /// Sets the features that are needed.
    pub const fn features(self, features: &'static [&'static str]) -> Self {
        Self { features, ..self }
    }

    /// The module can do without it.
    pub const fn optional(self) -> Self {
        Self { optional: true, ..self }
    }
}

impl core::fmt::Display for Dependency {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(self.name)?;
        if self.requirement != Requirement::ANY {
            write!(f, " {}", self.requirement)?;
        }
        if !self.features.is_empty() {
            write!(f, " [{}]", Joined(self.features))?;
        }
        if self.optional { f.write_str(" optional") } else { Ok(()) }
    }
}

struct Joined(&'static [&'static str]);

impl core::fmt::Display for Joined {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        for (at, name) in self.0.iter().enumerate() {
            if at > 0 {
                f.write_str(",")?;
            }
            f.write_str(name)?;
        }
        Ok(())
    }
}

/// What a module needs: by name alone, or in full.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dependencies {
    /// Names only, as the builder of a hand-written module gives them.
    Named(&'static [&'static str]),
    /// With versions, features and whether it is optional.
    Detailed(&'static [Dependency]),
}

impl Dependencies {
    /// How many there are.
    pub const fn len(&self) -> usize {
        match self {
            Self::Named(names) => names.len(),
            Self::Detailed(dependencies) => dependencies.len(),
        }
    }

    /// Whether there are none.
    pub const fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The dependency at an index. Panics when there are not so many.
    pub const fn get(&self, index: usize) -> Dependency {
        match self {
            Self::Named(names) => Dependency::new(names[index]),
            Self::Detailed(dependencies) => dependencies[index],
        }
    }

    /// All of them, in the order in which they were written.
    pub fn iter(&self) -> impl Iterator<Item = Dependency> + '_ {
        (0..self.len()).map(|index| self.get(index))
    }
}

/// Whether a name is one: `[a-z0-9]+([._/-][a-z0-9]+)*`, at most 64 bytes.
///
/// ```
/// assert!(helix_runtime::check_name("core/ecs-2.x"));
/// assert!(!helix_runtime::check_name("Timer"));
/// ```
pub const fn check_name(name: &str) -> bool {
    let bytes = name.as_bytes();
    if bytes.len() > 64 {
        return false;
    }
    let mut at = 0;
    let mut word = false;
    while at < bytes.len() {
        match bytes[at] {
            b'a'..=b'z' | b'0'..=b'9' => word = true,
            b'.' | b'_' | b'/' | b'-' if word => word = false,
            _ => return false,
        }
        at += 1;
    }
    word
}
