//! Why the demo did not run to its end, and what to do.

use std::fmt;
use std::io;
use std::path::PathBuf;

use helix_runtime::{BuildError, CallError, IpcError, LifecycleError};

use crate::config::ConfigError;

/// Everything that can end the demo early.
#[derive(Debug)]
pub enum Failure {
    /// The configuration cannot be read.
    Config(ConfigError),
    /// The modules and their configuration do not fit together.
    Build { error: BuildError, file: Option<PathBuf> },
    /// A module does not start. Those that had started were stopped again.
    Start { error: Box<LifecycleError>, file: Option<PathBuf> },
    /// A module does not answer.
    Call(String),
    /// A module does not stop.
    Stop(Box<LifecycleError>),
    /// The report cannot be written.
    Print(io::Error),
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let in_file = |file: &Option<PathBuf>| file.as_ref().map(|file| format!("\n  in `{}`", file.display()));
        match self {
            Self::Config(error) => error.fmt(f),
            Self::Build { error, file } => {
                let faults = error.to_string().replace('\n', "\nerror: ");
                write!(f, "{faults}{}", in_file(file).unwrap_or_default())
            }
            Self::Start { error, file } => {
                write!(f, "does not start: {error}{}", in_file(file).unwrap_or_default())
            }
            Self::Call(error) => write!(f, "a module does not answer: {error}"),
            Self::Stop(error) => write!(f, "does not stop: {error}"),
            Self::Print(error) => write!(f, "cannot write the report: {error}"),
        }
    }
}

impl Failure {
    /// What to do about it.
    pub fn fix(&self) -> String {
        match self {
            Self::Config(error) => error.fix(),
            Self::Build { .. } | Self::Start { .. } => {
                "correct the key in the configuration; `demo --help` lists all keys, their types and defaults".into()
            }
            Self::Call(_) | Self::Stop(_) => "this is a fault of a module, not of its configuration: report it".into(),
            Self::Print(_) => "write to a place that has room".into(),
        }
    }
}

impl From<ConfigError> for Failure {
    fn from(error: ConfigError) -> Self {
        Self::Config(error)
    }
}

impl From<IpcError> for Failure {
    fn from(error: IpcError) -> Self {
        Self::Call(error.to_string())
    }
}

impl<E: fmt::Display> From<CallError<E>> for Failure {
    fn from(error: CallError<E>) -> Self {
        Self::Call(error.to_string())
    }
}
