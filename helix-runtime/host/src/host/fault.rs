//! What can go wrong with a host, and what the command ends with then.

use std::io;

use helix_runtime::boundary::TableFault;
use helix_runtime::{BuildError, IpcError, LifecycleError, ModuleError};

use crate::build::BuildFailure;
use crate::config::ConfigFault;
use crate::control::ControlFault;
use crate::host::keep::KeepFault;
use crate::library::FileFault;
use crate::load::LoadFault;
use crate::trust::TrustFault;
use crate::value::ValueFault;

/// Why a host could not do what was asked of it. What ran before runs on.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum HostFault {
    /// A file is no library of a module.
    #[error(transparent)]
    File(#[from] FileFault),
    /// A library was not loaded.
    #[error(transparent)]
    Load(#[from] LoadFault),
    /// A module crate was not built.
    #[error(transparent)]
    Build(#[from] BuildFailure),
    /// The configuration is none.
    #[error(transparent)]
    Config(#[from] ConfigFault),
    /// The modules do not fit together.
    #[error(transparent)]
    Unfit(#[from] BuildError),
    /// Libraries that would not load together: all that is wrong, a line each.
    #[error("{faults}")]
    Set {
        /// What is wrong.
        faults: String,
    },
    /// A module could not be moved on.
    #[error(transparent)]
    Lifecycle(#[from] LifecycleError),
    /// A state could not be kept or taken back.
    #[error(transparent)]
    Keep(#[from] KeepFault),
    /// A call did not come back.
    #[error(transparent)]
    Ipc(#[from] IpcError),
    /// A library is not trusted, or a key is none.
    #[error(transparent)]
    Trust(#[from] TrustFault),
    /// Programs cannot join.
    #[error(transparent)]
    Join(#[from] ControlFault),
    /// A program has told handlers that are none.
    #[error(transparent)]
    Table(#[from] TableFault),
    /// The directory of modules' data is not this host's.
    #[error("data_dir {}: {reason}", .path.display())]
    DataDir {
        /// The directory.
        path: std::path::PathBuf,
        /// Why not.
        reason: String,
    },
    /// A value is not what its schema says.
    #[error("{what}: {fault}")]
    Value {
        /// Of which request or event.
        what: String,
        /// What is wrong with it.
        fault: ValueFault,
    },
    /// Nobody is called so.
    #[error("no {what} is called `{name}`{}; there are: {known}", meant(.name, .known))]
    NotFound {
        /// What was looked for.
        what: &'static str,
        /// The name.
        name: String,
        /// The names that there are, separated by commas.
        known: String,
    },
    /// A module is linked to its host, so there is no file to load it from.
    #[error("`{module}` is linked to its host: found no library that it came from, expected one; build the host anew")]
    Linked {
        /// The module.
        module: String,
    },
    /// A module is a program that joins, so there is no file to load it from.
    #[error(
        "`{module}` is a program that joins by itself: run it anew, with the token in the file `token` in its directory"
    )]
    Joins {
        /// The module.
        module: String,
    },
    /// There is a module of that name already.
    #[error("`{module}` is loaded already; reload it instead")]
    There {
        /// The module.
        module: String,
    },
    /// A library was loaded in the place of a module, and has another one in it.
    #[error("`{module}` cannot be reloaded from {path}: found the module `{found}` in it, expected `{module}`")]
    Other {
        /// The module.
        module: String,
        /// The file.
        path: String,
        /// The module in it.
        found: String,
    },
    /// Another change is under way.
    #[error(
        "another change of this host is under way; try again when it is over, and from inside a module ask `helix.reload`"
    )]
    Changing,
    /// The new code was loaded, and does not answer.
    #[error("`{module}`: build {build} was loaded, and does not answer; the old one does")]
    NotLive {
        /// The module.
        module: String,
        /// The build.
        build: String,
    },
    /// The host could not be set up.
    #[error("the host could not be set up: {0}")]
    Folder(io::Error),
    /// Something went wrong, and what ran before runs on.
    #[error("{fault}\n{kept}")]
    Kept {
        /// What went wrong.
        fault: Box<HostFault>,
        /// What runs on.
        kept: String,
    },
}

impl HostFault {
    /// What a command ends with: 1 failed, 3 not found, 4 refused, 5 timeout.
    pub fn exit(&self) -> u8 {
        match self {
            Self::NotFound { .. } => 3,
            Self::File(FileFault::Io { error, .. }) if error.kind() == io::ErrorKind::NotFound => 3,
            Self::Trust(TrustFault::Io { error, .. }) if error.kind() == io::ErrorKind::NotFound => 3,
            Self::Load(LoadFault::File(FileFault::Io { error, .. })) if error.kind() == io::ErrorKind::NotFound => 3,
            Self::Config(ConfigFault::Read { error, .. }) if error.kind() == io::ErrorKind::NotFound => 3,
            Self::Config(_)
            | Self::File(_)
            | Self::Load(_)
            | Self::Trust(_)
            | Self::Unfit(_)
            | Self::Set { .. }
            | Self::Linked { .. }
            | Self::Joins { .. }
            | Self::There { .. }
            | Self::DataDir { .. }
            | Self::Other { .. } => 4,
            Self::Lifecycle(error) => match &error.error {
                ModuleError::Stuck { .. } => 5,
                ModuleError::Unfit(_)
                | ModuleError::Needed { .. }
                | ModuleError::Essential { .. }
                | ModuleError::NotReloadable { .. }
                | ModuleError::State { .. }
                | ModuleError::WrongState { .. } => 4,
                _ => 1,
            },
            Self::Ipc(error) => match error {
                IpcError::ModuleNotFound { .. } | IpcError::RequestNotFound { .. } => 3,
                IpcError::Denied { .. } | IpcError::Forbidden { .. } => 4,
                IpcError::Timeout { .. } => 5,
                _ => 1,
            },
            Self::Value { .. } => 2,
            Self::Changing => 5,
            Self::Kept { fault, .. } => fault.exit(),
            _ => 1,
        }
    }
}

/// The known name that was meant, if one is much like it.
fn meant(name: &str, known: &str) -> String {
    let likeness = |known: &&str| (strsim::jaro_winkler(name, known) * 1000.0) as u32;
    match known.split(", ").filter(|known| likeness(known) > 800).max_by_key(likeness) {
        Some(known) => format!(" (did you mean `{known}`?)"),
        None => String::new(),
    }
}
