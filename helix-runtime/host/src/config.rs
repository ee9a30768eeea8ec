//! A host's configuration: a TOML file with a table for each module, and one for the host itself.

mod placing;
mod signatures;
mod upkeep;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use helix_runtime::{ConfigMap, Supervision};
use toml::{Table, Value};

use crate::process::Placing;
use crate::trust::Trust;

use placing::placing;
use signatures::trust;
use upkeep::{restarts, upkeep};

pub use upkeep::Upkeep;

/// What a host is told.
///
/// ```
/// use helix_host::Configuration;
/// use helix_runtime::Config;
///
/// let text = r#"
/// [host]
/// lazy = ["mesh"]            # loaded when it is first asked
/// data_dir = "/var/lib/node" # each module finds a directory of its own in it
/// state_dir = "/var/lib/node/state" # kept at the end, and taken back at the next start
/// modules.mesh = { isolation = "process", memory_mib = 64 } # in a process of its own
/// ticks_a_second = 10        # published by the host, for modules that want a clock
/// [services]
/// clock = "timer"            # which of two providers is asked
/// [timer]
/// period_us = 500            # a module's own keys
/// "#;
/// let configuration = Configuration::parse(text, "node.toml".as_ref())?;
/// assert_eq!(configuration.modules.value("timer", "period_us"), Some("500"));
/// assert!(configuration.lazy.contains("mesh"));
/// # Ok::<(), helix_host::ConfigFault>(())
/// ```
#[derive(Debug, Clone, Default)]
pub struct Configuration {
    /// What the modules are told.
    pub modules: ConfigMap,
    /// The modules that are loaded when they are first asked, unless others need them.
    pub lazy: BTreeSet<String>,
    /// How many `Tick`s the host publishes a second; none unless it is set.
    pub ticks_a_second: Option<u16>,
    /// The directory in which each module finds one of its own.
    pub data_dir: Option<String>,
    /// The directory in which the modules' states are kept from one run to the next.
    pub state_dir: Option<PathBuf>,
    /// How modules are placed that are named: the others as the host thinks best.
    pub placed: BTreeMap<String, Placing>,
    /// The `helix` command, which serves modules in processes of their own; the one beside the program, or on its path,
    /// if none.
    pub command: Option<PathBuf>,
    /// The socket on which programs join; there is none unless it is set.
    pub join: Option<PathBuf>,
    /// Whose libraries are loaded.
    pub trust: Trust,
    /// When data is maintained, and when the host warns.
    pub upkeep: Upkeep,
    /// How modules that fail are started again, and how often their health is asked for.
    pub supervision: Supervision,
    /// The keys, as `module.key`, whose values nobody but their module is shown, besides those that are called as secrets are.
    pub secrets: BTreeSet<String>,
    /// The file that it was read from, which a host watches.
    pub file: Option<PathBuf>,
    /// The table of the host itself.
    pub(crate) host: Table,
}

/// Why a configuration cannot be read. Whether a module's keys mean something is for the runtime to say.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ConfigFault {
    /// The file cannot be read.
    #[error("{}: {error}; name a file that exists", .path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system says.
        error: io::Error,
    },
    /// It is no TOML.
    #[error("{}: {}", .path.display(), .error.to_string().trim_end())]
    Syntax {
        /// The file.
        path: PathBuf,
        /// Where, and what.
        error: Box<toml::de::Error>,
    },
    /// A key is not where one belongs, or not what it takes.
    #[error("{}: {key}: found {found}, expected {expected}", .path.display())]
    Key {
        /// The file.
        path: PathBuf,
        /// The key.
        key: String,
        /// What is there.
        found: String,
        /// What belongs there.
        expected: &'static str,
    },
}

impl Configuration {
    /// Reads a file.
    pub fn read(path: &Path) -> Result<Self, ConfigFault> {
        let text = fs::read_to_string(path).map_err(|error| ConfigFault::Read { path: path.into(), error })?;
        Ok(Self { file: Some(path.into()), ..Self::parse(&text, path)? })
    }

    /// The same of a text; the path is for messages.
    pub fn parse(text: &str, path: &Path) -> Result<Self, ConfigFault> {
        let table: Table =
            text.parse().map_err(|error| ConfigFault::Syntax { path: path.into(), error: Box::new(error) })?;
        let mut configuration = Self::default();
        let mut values = Vec::new();
        for (name, value) in table {
            let Value::Table(table) = value else {
                return Err(fault(path, &name, &value, "a table of that name above it, such as `[timer]`"));
            };
            if name == "host" {
                configuration.host = table.clone();
                configuration.read_host(table, path)?;
            } else {
                flatten(&name, table, path, &mut values)?;
            }
        }
        configuration.modules = values.into_iter().collect();
        Ok(configuration)
    }

    fn read_host(&mut self, table: Table, path: &Path) -> Result<(), ConfigFault> {
        for (name, value) in table {
            let key = format!("host.{name}");
            match (name.as_str(), &value) {
                ("lazy", Value::Array(names)) => self.lazy = texts(names, &key, path, "names of modules")?,
                ("secrets", Value::Array(keys)) => {
                    self.secrets = texts(keys, &key, path, "keys such as \"wallet.seed\"")?;
                }
                ("maintenance", Value::Table(table)) => self.upkeep = upkeep(table, &key, path)?,
                ("health_every_s", Value::Integer(seconds @ 1..=86_400)) => {
                    self.supervision.health_interval = Some(Duration::from_secs(seconds.unsigned_abs()));
                }
                ("restarts", Value::Table(table)) => restarts(table, &key, path, &mut self.supervision)?,
                ("restarts", _) => {
                    return Err(fault(path, &key, &value, "a table such as { most = 3, within_s = 30 }"));
                }
                ("health_every_s", _) => {
                    return Err(fault(path, &key, &value, "a whole number of seconds from 1 to 86400"));
                }
                ("maintenance", _) => {
                    return Err(fault(path, &key, &value, "a table such as { every_s = 3600, age_days = 30 }"));
                }
                ("secrets", _) => return Err(fault(path, &key, &value, "a list of keys such as [\"wallet.seed\"]")),
                ("ticks_a_second", Value::Integer(number @ 0..=1000)) => self.ticks_a_second = Some(*number as u16),
                ("ticks_a_second", _) => return Err(fault(path, &key, &value, "a whole number from 0 to 1000")),
                ("signatures", Value::Table(table)) => self.trust = trust(table, &key, path)?,
                ("signatures", _) => {
                    return Err(fault(path, &key, &value, "a table with `policy`, `keys` and `threshold`"));
                }
                ("join", Value::String(text)) => self.join = Some(text.into()),
                ("join", _) => return Err(fault(path, &key, &value, "the path of a socket")),
                ("command", Value::String(text)) => self.command = Some(text.into()),
                ("modules", Value::Table(modules)) => {
                    for (module, value) in modules {
                        let key = format!("{key}.{module}");
                        let Value::Table(table) = value else {
                            return Err(fault(path, &key, value, "a table such as { isolation = \"process\" }"));
                        };
                        self.placed.insert(module.clone(), placing(table, &key, path)?);
                    }
                }
                ("data_dir", Value::String(text)) => self.data_dir = Some(text.clone()),
                ("state_dir", Value::String(text)) => self.state_dir = Some(text.into()),
                ("lazy", _) => return Err(fault(path, &key, &value, "a list of modules' names")),
                ("data_dir" | "state_dir", _) => return Err(fault(path, &key, &value, "a directory")),
                ("command", _) => return Err(fault(path, &key, &value, "the path of the `helix` command")),
                ("modules", _) => return Err(fault(path, &key, &value, "a table for each module")),
                _ => {
                    let known = "one of `command`, `data_dir`, `health_every_s`, `join`, `lazy`, `maintenance`, `modules`, `restarts`, `secrets`, `signatures`, `state_dir`, `ticks_a_second`";
                    return Err(fault(path, &key, &value, known));
                }
            }
        }
        Ok(())
    }
}

fn texts(items: &[Value], key: &str, path: &Path, expected: &'static str) -> Result<BTreeSet<String>, ConfigFault> {
    items.iter().map(|item| item.as_str().map(Into::into).ok_or_else(|| fault(path, key, item, expected))).collect()
}

fn shown(value: &Value) -> String {
    match value {
        Value::String(text) => format!("{text:?}"),
        Value::Integer(number) => number.to_string(),
        Value::Float(number) => number.to_string(),
        Value::Boolean(flag) => flag.to_string(),
        Value::Datetime(date) => date.to_string(),
        Value::Array(items) => format!("of {}", items.len()),
        Value::Table(items) => format!("of {}", items.len()),
    }
}

fn fault(path: &Path, key: &str, found: &Value, expected: &'static str) -> ConfigFault {
    let found = format!("the {} {}", found.type_str(), shown(found));
    ConfigFault::Key { path: path.into(), key: key.into(), found, expected }
}

/// Joins the names with dots, so that `["scheduler.round-robin"]` and `[scheduler.round-robin]` mean the same.
fn flatten(prefix: &str, table: Table, path: &Path, values: &mut Vec<(String, String)>) -> Result<(), ConfigFault> {
    for (name, value) in table {
        let key = format!("{prefix}.{name}");
        let text = match value {
            Value::Table(table) => {
                flatten(&key, table, path, values)?;
                continue;
            }
            Value::String(text) => text,
            Value::Integer(number) => number.to_string(),
            Value::Float(number) => number.to_string(),
            Value::Boolean(flag) => flag.to_string(),
            Value::Array(_) | Value::Datetime(_) => {
                return Err(fault(path, &key, &value, "text, a number, true or false"));
            }
        };
        values.push((key, text));
    }
    Ok(())
}
