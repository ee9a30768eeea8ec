//! States that are kept from one run of a host to the next: a file for each module, written whole or not at all.

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use helix_runtime::{SavedState, StateFault};

use super::locked;
use crate::load::file_name;

/// Why a kept state cannot be read or written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum KeepFault {
    /// The system refuses.
    #[error("{}: {error}", .path.display())]
    Io {
        /// The file or the directory.
        path: PathBuf,
        /// What the system says.
        error: io::Error,
    },
    /// A file is no state, or a damaged one.
    #[error("{}: {fault}; remove the file to start without that state", .path.display())]
    State {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        fault: StateFault,
    },
}

const EXTENSION: &str = "state";

/// The states that are kept in a directory, of these modules; none if it is not there yet.
fn read(folder: &Path, modules: &[&str]) -> Result<Vec<SavedState>, KeepFault> {
    let mut states = Vec::new();
    for module in modules {
        let path = path(folder, module);
        let envelope = match fs::read(&path) {
            Ok(envelope) => envelope,
            Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
            Err(error) => return Err(KeepFault::Io { path, error }),
        };
        states.push(SavedState::from_envelope(&envelope).map_err(|fault| KeepFault::State { path, fault })?);
    }
    Ok(states)
}

/// Where the states of modules that stop go.
#[derive(Debug, Default)]
pub(super) struct Keep {
    folder: Option<PathBuf>,
    /// Why the last one was not written.
    fault: Mutex<Option<KeepFault>>,
}

impl Keep {
    pub(super) fn new(folder: Option<PathBuf>) -> Self {
        Self { folder, fault: Mutex::default() }
    }

    /// What is kept for one of these modules; nothing where no state is.
    pub(super) fn read(&self, modules: &[&str]) -> Result<Vec<SavedState>, KeepFault> {
        self.folder.as_ref().map_or(Ok(Vec::new()), |folder| read(folder, modules))
    }

    /// Writes a state; what goes wrong is told by [`Keep::check`].
    pub(super) fn write(&self, state: &SavedState) {
        let Some(folder) = &self.folder else { return };
        let path = path(folder, &state.module);
        if let Err(error) = put(folder, &path, &state.to_envelope()) {
            log::error!(target: "helix", "the state of `{}` is not kept: {}: {error}", state.module, path.display());
            *locked(&self.fault) = Some(KeepFault::Io { path, error });
        }
    }

    /// Whether all states that were written since it was last asked are on the disk.
    pub(super) fn check(&self) -> Result<(), KeepFault> {
        locked(&self.fault).take().map_or(Ok(()), Err)
    }
}

fn path(folder: &Path, module: &str) -> PathBuf {
    folder.join(format!("{}.{EXTENSION}", file_name(module)))
}

fn put(folder: &Path, path: &Path, bytes: &[u8]) -> io::Result<()> {
    fs::create_dir_all(folder)?;
    let mut file = tempfile::NamedTempFile::new_in(folder)?;
    file.write_all(bytes)?;
    file.as_file().sync_all()?;
    file.persist(path)?;
    Ok(())
}
