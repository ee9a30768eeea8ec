//! A host's configuration: a TOML file with a table for each module, and one for the host itself.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use helix_runtime::ConfigMap;
use toml::{Table, Value};

use crate::process::{Isolation, Placing};
use crate::trust::{Policy, Trust};

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
    /// Whose libraries are loaded.
    pub trust: Trust,
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
        Self::parse(&text, path)
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
                ("lazy", Value::Array(names)) => {
                    for name in names {
                        let name = name.as_str().ok_or_else(|| fault(path, &key, name, "names of modules"))?;
                        self.lazy.insert(name.into());
                    }
                }
                ("ticks_a_second", Value::Integer(number @ 0..=1000)) => self.ticks_a_second = Some(*number as u16),
                ("ticks_a_second", _) => return Err(fault(path, &key, &value, "a whole number from 0 to 1000")),
                ("signatures", Value::Table(table)) => self.trust = trust(table, &key, path)?,
                ("signatures", _) => {
                    return Err(fault(path, &key, &value, "a table with `policy`, `keys` and `threshold`"));
                }
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
                    let known =
                        "one of `command`, `data_dir`, `lazy`, `modules`, `signatures`, `state_dir`, `ticks_a_second`";
                    return Err(fault(path, &key, &value, known));
                }
            }
        }
        Ok(())
    }
}

/// Whose libraries are to be loaded.
fn trust(table: &Table, key: &str, path: &Path) -> Result<Trust, ConfigFault> {
    let mut trust = Trust { threshold: 1, ..Trust::default() };
    for (name, value) in table {
        let key = format!("{key}.{name}");
        let wrong = |expected| Err(fault(path, &key, value, expected));
        match name.as_str() {
            "policy" => match value.as_str() {
                Some("required") => trust.policy = Policy::Required,
                Some("warn") => trust.policy = Policy::Warn,
                Some("off") => trust.policy = Policy::Off,
                _ => return wrong("\"required\", \"warn\" or \"off\""),
            },
            "keys" => {
                let key = |item: &Value| item.as_str()?.parse().ok();
                match value.as_array().and_then(|items| items.iter().map(key).collect()) {
                    Some(keys) => trust.keys = keys,
                    None => {
                        return wrong(
                            "a list of public keys, each of 64 hexadecimal digits, as `helix keygen` shows them",
                        );
                    }
                }
            }
            "threshold" => match value.as_integer().and_then(|number| usize::try_from(number).ok()) {
                Some(number @ 1..) => trust.threshold = number,
                _ => return wrong("a whole number from 1"),
            },
            _ => return wrong("one of `keys`, `policy`, `threshold`"),
        }
    }
    if trust.policy != Policy::Off && trust.keys.len() < trust.threshold {
        let found = format!("{} keys", trust.keys.len());
        let key = format!("{key}.keys");
        return Err(ConfigFault::Key {
            path: path.into(),
            key,
            found,
            expected: "as many as `threshold` says, or more",
        });
    }
    Ok(trust)
}

/// How a module is to be placed.
fn placing(table: &Table, key: &str, path: &Path) -> Result<Placing, ConfigFault> {
    let mut placing = Placing::default();
    for (name, value) in table {
        let key = format!("{key}.{name}");
        let wrong = |expected| Err(fault(path, &key, value, expected));
        let number = |most: i64| value.as_integer().filter(|number| (1..=most).contains(number)).map(i64::unsigned_abs);
        match name.as_str() {
            "isolation" => match value.as_str() {
                Some("process") => placing.isolation = Isolation::Process,
                Some("none") => placing.isolation = Isolation::None,
                _ => return wrong("\"process\" or \"none\""),
            },
            "sandbox" => match value.as_bool() {
                Some(closed) => placing.sandbox.closed = closed,
                None => return wrong("true or false"),
            },
            "accept_less" => match value.as_bool() {
                Some(less) => placing.sandbox.accept_less = less,
                None => return wrong("true or false"),
            },
            "network" => match value.as_bool() {
                Some(network) => placing.sandbox.network = network,
                None => return wrong("true or false"),
            },
            "memory_mib" => match number(1 << 20) {
                Some(mib) => placing.sandbox.memory = mib << 20,
                None => return wrong("a whole number of MiB from 1 to 1048576"),
            },
            "cpu_seconds" => match number(i64::from(u32::MAX)) {
                Some(seconds) => placing.sandbox.cpu = Some(seconds),
                None => return wrong("a whole number of seconds from 1"),
            },
            "files" => match number(1 << 20) {
                Some(files) => placing.sandbox.files = files,
                None => return wrong("a whole number from 1 to 1048576"),
            },
            "grant" => {
                let texts = |items: &Vec<Value>| items.iter().map(|item| item.as_str().map(String::from)).collect();
                match value.as_array().and_then(texts) {
                    Some(grant) => placing.grant = Some(grant),
                    None => return wrong("a list of permissions such as [\"call/node\", \"publish/mesh.packet\"]"),
                }
            }
            "deadline_ms" => match number(86_400_000) {
                Some(ms) => placing.deadline = Duration::from_millis(ms),
                None => return wrong("a whole number of milliseconds from 1 to 86400000"),
            },
            _ => {
                return wrong(
                    "one of `accept_less`, `cpu_seconds`, `deadline_ms`, `files`, `grant`, `isolation`, `memory_mib`, `network`, `sandbox`",
                );
            }
        }
    }
    Ok(placing)
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
