//! The directory of modules' data, which one host has to itself.

use std::fs::{self, File, TryLockError};
use std::path::Path;
use std::time::{Duration, Instant};

use super::fault::HostFault;

/// A directory that no other host has, as long as this is there.
#[derive(Debug)]
pub(super) struct Claim {
    _locked: File,
}

/// How long it is waited for a host that is just going.
const MOMENT: Duration = Duration::from_millis(500);

/// What is locked.
const FILE: &str = ".host";

impl Claim {
    pub(super) fn of(root: &Path) -> Result<Self, HostFault> {
        let failed = |error: std::io::Error| HostFault::DataDir {
            path: root.into(),
            reason: format!("{error}; expected a directory, or room for one"),
        };
        fs::create_dir_all(root).map_err(failed)?;
        let file = File::options().write(true).create(true).truncate(false).open(root.join(FILE)).map_err(failed)?;
        let until = Instant::now() + MOMENT;
        loop {
            match file.try_lock() {
                Ok(()) => return Ok(Self { _locked: file }),
                // A child of the one that had it has it too, until it is another program.
                Err(TryLockError::WouldBlock) if Instant::now() < until => std::thread::sleep(MOMENT / 50),
                Err(TryLockError::WouldBlock) => {
                    let reason =
                        "found another host that uses it, expected one's own; give each host a `data_dir`".into();
                    return Err(HostFault::DataDir { path: root.into(), reason });
                }
                Err(TryLockError::Error(error)) => return Err(failed(error)),
            }
        }
    }
}
