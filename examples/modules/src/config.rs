//! The configuration: what is built in, and what a file changes of it.

use std::path::{Path, PathBuf};
use std::{fs, io};

use helix_runtime::ConfigMap;
use toml::{Table, Value};

const BUILT_IN: &str = include_str!("demo.toml");

/// Why a configuration cannot be read. Whether its keys mean something is for the runtime to say.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file cannot be read.
    #[error("cannot read the configuration `{}`: {source}", path.display())]
    Read { path: PathBuf, source: io::Error },
    /// It is no TOML.
    #[error("`{}` is not TOML: {}", path.display(), source.to_string().trim_end().replace('\n', "\n  "))]
    Syntax { path: PathBuf, source: Box<toml::de::Error> },
    /// A key stands outside of every table.
    #[error("config key `{key}` in `{}`: found outside of any table, expected in the table of a module", path.display())]
    Outside { path: PathBuf, key: String },
    /// A value is of a kind that no key takes.
    #[error("config key `{key}` in `{}`: found {found}, expected text, a number, true or false", path.display())]
    Kind { path: PathBuf, key: String, found: &'static str },
}

impl ConfigError {
    pub fn fix(&self) -> String {
        match self {
            Self::Read { .. } => "name a file that exists, or leave out `--config`".into(),
            Self::Syntax { .. } => "write tables such as `[timer]` with lines such as `period_us = 500`".into(),
            Self::Outside { key, .. } => format!("put a line such as `[timer]` above `{key}`"),
            Self::Kind { key, .. } => format!("give `{key}` a single value; `demo --help` lists what each key takes"),
        }
    }
}

/// The built-in configuration with the file's changes.
pub fn load(file: Option<&Path>) -> Result<ConfigMap, ConfigError> {
    let mut values = Vec::new();
    read(BUILT_IN, Path::new("demo.toml"), &mut values)?;
    if let Some(path) = file {
        let text = fs::read_to_string(path).map_err(|source| ConfigError::Read { path: path.into(), source })?;
        read(&text, path, &mut values)?;
    }
    // Of two values for a key, the later one holds.
    Ok(values.into_iter().collect())
}

fn read(text: &str, path: &Path, values: &mut Vec<(String, String)>) -> Result<(), ConfigError> {
    let table: Table =
        text.parse().map_err(|source| ConfigError::Syntax { path: path.into(), source: Box::new(source) })?;
    for (name, value) in table {
        match value {
            Value::Table(table) => flatten(&name, table, path, values)?,
            _ => return Err(ConfigError::Outside { path: path.into(), key: name }),
        }
    }
    Ok(())
}

/// Joins the names with dots, so that `["scheduler.round-robin"]` and `[scheduler.round-robin]` mean the same.
fn flatten(prefix: &str, table: Table, path: &Path, values: &mut Vec<(String, String)>) -> Result<(), ConfigError> {
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
            Value::Array(_) => return Err(ConfigError::Kind { path: path.into(), key, found: "an array" }),
            Value::Datetime(_) => return Err(ConfigError::Kind { path: path.into(), key, found: "a date" }),
        };
        values.push((key, text));
    }
    Ok(())
}
