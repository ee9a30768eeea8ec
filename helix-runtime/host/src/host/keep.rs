//! States that are kept from one run of a host to the next: a file for each module, written whole or not at all.

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use helix_runtime::{ModuleState, ModuleStatus, Runtime, SavedState, StateFault};

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
pub(super) fn read(folder: &Path, modules: &[&str]) -> Result<Vec<SavedState>, KeepFault> {
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

/// Asks each running module for its state, and keeps it. One that does not give it keeps what was kept before.
pub(super) fn write(folder: &Path, runtime: &Runtime) -> Result<(), KeepFault> {
    let io = |error| KeepFault::Io { path: folder.into(), error };
    fs::create_dir_all(folder).map_err(io)?;
    let running = |module: &ModuleStatus| module.state == ModuleState::Running;
    for module in runtime.modules().iter().filter(|module| running(module)) {
        write_one(folder, runtime, module.info.name).map_err(io)?;
    }
    Ok(())
}

/// The same of one module, before it stops.
pub(super) fn write_one(folder: &Path, runtime: &Runtime, module: &str) -> io::Result<()> {
    fs::create_dir_all(folder)?;
    match runtime.save(module) {
        Ok(Some(state)) => put(folder, &path(folder, module), &state.to_envelope()),
        Ok(None) => Ok(()),
        Err(error) => {
            log::warn!(target: "helix", "the state of `{module}` is not kept: {error}");
            Ok(())
        }
    }
}

fn path(folder: &Path, module: &str) -> PathBuf {
    folder.join(format!("{}.{EXTENSION}", file_name(module)))
}

fn put(folder: &Path, path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut file = tempfile::NamedTempFile::new_in(folder)?;
    file.write_all(bytes)?;
    file.as_file().sync_all()?;
    file.persist(path)?;
    Ok(())
}
