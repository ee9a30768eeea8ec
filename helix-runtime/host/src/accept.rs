//! Whether a library may be loaded into this program: its record against what this program was built with.

use std::path::{Path, PathBuf};

use helix_runtime::AbiTag;
use helix_runtime::modinfo::Record;

use crate::library::Library;

/// Why a library cannot be loaded into this program.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}: {field}: found {found}, expected {expected}; {remedy}", .path.display())]
pub struct Refusal {
    /// The file.
    pub path: PathBuf,
    /// The field of its record.
    pub field: String,
    /// What it says.
    pub found: String,
    /// What this program says.
    pub expected: String,
    /// What to do about it.
    pub remedy: &'static str,
}

/// Compares a library's record with this program; the first difference is told.
pub fn accept(library: &Library) -> Result<(), Refusal> {
    accept_record(&library.path, &library.record)
}

/// The same of a record that was read without the rest of its file.
pub(crate) fn accept_record(path: &Path, record: &Record) -> Result<(), Refusal> {
    let this = AbiTag::THIS;
    let check = |field: &str, expected: &str, remedy| {
        let found = record.get(field).unwrap_or("nothing");
        if found == expected {
            return Ok(());
        }
        let (found, expected) = (found.to_string(), expected.to_string());
        Err(Refusal { path: path.into(), field: field.into(), found, expected, remedy })
    };
    check("abi.target", this.target, "build the module for this target: `helix build --target`")?;
    check("abi.rustc", this.rustc, "build host and module with one toolchain")?;
    check("abi.panic", this.panic, "build the module with the panic strategy of its host")?;
    check("abi.runtime", this.runtime, "build host and module with one helix-runtime, by `helix build`")?;
    for (name, hash) in AbiTag::TYPES {
        let hash = format!("{hash:016x}");
        let prefix = format!("{name} ");
        let found = record.all("abi.type").find_map(|line| line.strip_prefix(&prefix)).unwrap_or("nothing");
        if found != hash {
            return Err(Refusal {
                path: path.into(),
                field: format!("abi.type {name}"),
                found: found.into(),
                expected: hash,
                remedy: "the type is laid out differently: build host and module from one lock file, with one set of features",
            });
        }
    }
    check(
        "abi.layout",
        &format!("{:016x}", this.layout),
        "build host and module from one lock file, with one set of features",
    )
}
