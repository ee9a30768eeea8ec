//! What a configuration says of the modules that there are, and what of it cannot be meant. Nothing of them runs.

use helix_runtime::{Config, ModuleFlags, ModuleInfo, expected_value};

use crate::config::Configuration;
use crate::directory::{Directory, Found};
use crate::library::Library;
use crate::process::{Isolation, covers};

impl Directory {
    /// All that would keep a host with that configuration from starting with these libraries, as far as files tell: besides what
    /// [`check`](Self::check) finds, libraries that are damaged or not signed, and what the configuration says of nobody, or wrong.
    pub fn faults(&self, configuration: &Configuration) -> Vec<String> {
        let mut faults = self.check(&[], &configuration.modules).all_faults();
        for found in &self.modules {
            // The record says nothing about the rest of the file.
            match Library::open(&found.path) {
                Ok(library) => faults.extend(configuration.trust.check(&library).err().map(|fault| fault.to_string())),
                Err(fault) => faults.push(fault.to_string()),
            }
        }
        faults.extend(values(configuration, &self.modules));
        faults.extend(names(configuration, &self.modules, &[]));
        faults
    }
}

/// Keys that no module has, and values that are none of their types.
fn values(configuration: &Configuration, modules: &[Found]) -> Vec<String> {
    let fault = |(module, key): &(&str, &str)| {
        let Some(found) = modules.iter().find(|found| found.info.name == *module) else {
            let joins = configuration.placed.get(*module).is_some_and(|placing| placing.joins);
            return (!joins).then(|| format!("config key `{module}.{key}`: no module is called `{module}`"));
        };
        let declared = found.record.all("config").find_map(|line| {
            let (name, rest) = line.split_once(':')?;
            (name == *key).then(|| rest.split('=').next().unwrap_or_default().trim())
        });
        let Some(ty) = declared else {
            return Some(format!("config key `{module}.{key}`: `{module}` has no key `{key}`"));
        };
        let value = configuration.modules.value(module, key)?;
        let expected = expected_value(ty, value)?;
        Some(format!("config key `{module}.{key}`: found `{value}`, expected {expected}"))
    };
    configuration.modules.keys().iter().filter(|(module, _)| *module != "services").filter_map(fault).collect()
}

/// What is said of modules that there are not, or granted that nobody asks for, or has no effect: a slip of the pen, and another
/// module would run without its sandbox, or a secret be told.
pub(super) fn names(configuration: &Configuration, libraries: &[Found], linked: &[ModuleInfo]) -> Vec<String> {
    let modules: Vec<&ModuleInfo> = libraries.iter().map(|found| &found.info).chain(linked).collect();
    let named = |name: &str| modules.iter().find(|info| info.name == name);
    let mut faults = Vec::new();
    for name in configuration.lazy.iter().filter(|name| !libraries.iter().any(|found| found.info.name == **name)) {
        faults.push(format!("host.lazy: found `{name}`, expected the name of a module in one of the libraries"));
    }
    for (name, placing) in &configuration.placed {
        let key = format!("host.modules.{name}");
        if placing.joins {
            if named(name).is_some() {
                faults.push(format!(
                    "{key}.joins: found a library of that module, expected none: a program that joins comes by itself"
                ));
            }
            if configuration.join.is_none() {
                faults.push(format!(
                    "{key}.joins: found no `join` in the table [host], expected the socket on which programs join"
                ));
            }
            if let Some(said) = placing.said.iter().find(|said| !OF_ALL.contains(&said.as_str())) {
                faults
                    .push(format!("{key}.{said}: found it for a program that joins, around which there is no sandbox"));
            }
            continue;
        }
        let Some(info) = named(name) else {
            let known = modules.iter().map(|info| info.name).collect::<Vec<_>>().join(", ");
            faults.push(format!("{key}: found no module of that name, expected one of: {known}"));
            continue;
        };
        let has_process = info.flags.contains(ModuleFlags::USERSPACE);
        if placing.isolation == Isolation::ByFlags
            && !has_process
            && let Some(said) = placing.said.first()
        {
            faults.push(format!(
                "{key}.{said}: found it without `isolation = \"process\"`, without which it has no effect"
            ));
        }
        for grant in placing.grant.iter().flatten() {
            if !info.permissions.iter().any(|asked| covers(asked, grant) || covers(grant, asked)) {
                let asked = info.permissions.join(", ");
                faults.push(format!("{key}.grant: found `{grant}`, expected of what it asks for: {asked}"));
            }
        }
    }
    for secret in &configuration.secrets {
        let (module, key) = secret.split_once('.').unwrap_or((secret, ""));
        let joins = configuration.placed.get(module).is_some_and(|placing| placing.joins);
        let has = |found: &Found| found.record.all("config").any(|line| line.split(':').next() == Some(key));
        let is_there = match libraries.iter().find(|found| found.info.name == module) {
            Some(found) => has(found),
            // What a linked module can be configured with is checked where it is.
            None => joins || linked.iter().any(|info| info.name == module),
        };
        if !is_there {
            faults.push(format!("host.secrets: found `{secret}`, expected a key of a module, such as \"wallet.seed\""));
        }
    }
    faults
}

/// What is said of programs that join as well.
const OF_ALL: [&str; 4] = ["joins", "deadline_ms", "queue", "grant"];
