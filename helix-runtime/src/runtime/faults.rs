//! What can be wrong with a set of modules and its configuration: every fault at once.

use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::fmt;

use crate::config::{Config, SERVICES};
use crate::descriptor::Descriptor;
use crate::runtime::Runtime;
use crate::runtime::lifecycle::set_of;
use crate::runtime::plan::Plan;
use crate::set::Fault;

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
    #[error("modules need each other in a circle: {path}; let one of them go through an event instead")]
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
    /// A value is none of its key's type.
    #[error("config key `{module}.{key}`: found `{found}`, expected {expected}")]
    BadValue {
        /// The module.
        module: String,
        /// The key.
        key: String,
        /// What is configured.
        found: String,
        /// What a value looks like.
        expected: &'static str,
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
    /// What another copy of this crate has found, in its words.
    #[error("{0}")]
    Told(String),
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

/// Checks the configured keys against the modules, of which some were written by hand and list no keys. If the set is
/// open, of those that may come later nothing is known.
impl Runtime {
    /// Whether a configuration is one for the modules that there are: each key is a module's, is there once, and has a value
    /// of its type, as far as that is one of the language's own.
    ///
    /// # Errors
    /// Every [`BuildFault`] there is.
    pub fn check_config(&self, config: &dyn Config) -> Result<(), BuildError> {
        let (known, open) = self.inner.known();
        let (_, mut faults) = Plan::new(&set_of(&known), config, open);
        check_keys(config, &known, open, &mut faults);
        for (descriptor, _) in &known {
            let module = descriptor.info.name;
            for key in descriptor.config() {
                let Some(found) = config.value(module, key.name) else { continue };
                if let Some(expected) = crate::config::expected_value(key.ty, found) {
                    let (module, key, found) = (module.to_string(), key.name.to_string(), found.to_string());
                    faults.push(BuildFault::BadValue { module, key, found, expected });
                }
            }
        }
        if faults.is_empty() { Ok(()) } else { Err(BuildError { faults }) }
    }
}

pub(super) fn check_keys(config: &dyn Config, set: &[(Descriptor, bool)], open: bool, faults: &mut Vec<BuildFault>) {
    let keys = config.keys();
    let names = || joined(set.iter().map(|(descriptor, _)| descriptor.info.name));
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
        match set.iter().find(|(descriptor, _)| descriptor.info.name == module) {
            None if open => {}
            None => faults.push(BuildFault::UnknownModule { module: module_name, key: key_name, known: names() }),
            Some((descriptor, false)) => {
                if !descriptor.config().any(|known| known.name == key) {
                    faults.push(BuildFault::UnknownKey {
                        module: module_name,
                        key: key_name,
                        known: joined(descriptor.config().map(|key| key.name)),
                    });
                }
            }
            Some(_) => {}
        }
    }
}

pub(super) fn joined<'a>(names: impl Iterator<Item = &'a str>) -> String {
    let names: Vec<&str> = names.collect();
    if names.is_empty() { "none".to_string() } else { names.join(", ") }
}
