//! `module.toml`: what may be said of a library beside it, in words that a person can edit.
//!
//! ```toml
//! [module]
//! name = "mesh"                    # must agree with the library
//! version = "2.0.0"
//! permissions = ["call/node"]      # of those that the library asks for; all of them without this line
//!
//! [config]                         # in the place of the defaults in the source; the host's configuration comes before
//! ttl = 3
//!
//! [limits]                         # of this and the host's configuration the lower one counts
//! memory_mib = 32
//! files = 64
//! cpu_seconds = 60
//! deadline_ms = 500
//!
//! [signatures]                     # besides those in the file with `.sig` behind its name
//! "<public key, 64 hexadecimal digits>" = "<signature, 128>"
//! ```
//!
//! It is `NAME.module.toml` in the library's directory, with the module's name (`+` for each `/`), or else `module.toml`.

mod read;

use std::fmt;
use std::fs;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::time::Duration;

use ed25519_dalek::Signature;
use helix_runtime::ModuleInfo;
use helix_runtime::modinfo::Record;

use crate::load::file_name;
use crate::process::Placing;
use crate::trust::PublicKey;

/// What a `module.toml` says of a library.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Manifest {
    /// Keys of the module's configuration, and their values unless the host's configuration says otherwise.
    pub config: Vec<(String, String)>,
    /// What it asks for of what the library asks for; all of it, if none.
    pub permissions: Option<Vec<String>>,
    /// How much its process may use at most.
    pub limits: Limits,
    pub(crate) signatures: Vec<(PublicKey, Signature)>,
}

/// How much a module's process may use at most, as its manifest says.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Limits {
    /// Memory of its own, in bytes.
    pub memory: Option<u64>,
    /// Open files.
    pub files: Option<u64>,
    /// Processor time, in seconds.
    pub cpu: Option<u64>,
    /// How long it may be silent in a conversation.
    pub deadline: Option<Duration>,
}

/// What is wrong with a manifest: all of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ManifestFault {
    /// The file.
    pub path: PathBuf,
    /// What is wrong, in the order in which it stands there.
    pub faults: Vec<ManifestLine>,
}

/// One thing that is wrong with a manifest.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct ManifestLine {
    /// The line, from 1.
    pub line: usize,
    /// The letter in it, from 1.
    pub column: usize,
    /// What was found, and what was expected.
    pub text: String,
}

impl fmt::Display for ManifestFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, ManifestLine { line, column, text }) in self.faults.iter().enumerate() {
            let end = if at == 0 { "" } else { "\n" };
            write!(f, "{end}{}:{line}:{column}: {text}", self.path.display())?;
        }
        Ok(())
    }
}

impl std::error::Error for ManifestFault {}

/// How long a manifest can be, in bytes.
const LONGEST: u64 = 256 << 10;

impl Manifest {
    /// Reads a manifest for the module of a record; the path is for messages.
    ///
    /// # Errors
    /// All that is wrong with it, each with its line and column.
    ///
    /// ```
    /// use helix_host::Manifest;
    /// use helix_runtime::modinfo::Record;
    ///
    /// let record = Record::from_iter([("name", "mesh"), ("version", "2.0.0")]);
    /// let fault = Manifest::parse("[module]\nnme = \"mesh\"\n", "module.toml".as_ref(), &record).unwrap_err();
    /// assert_eq!(fault.to_string().lines().next(), Some("module.toml:1:1: found no key `name`, expected `name = \"mesh\"`"));
    /// ```
    pub fn parse(text: &str, path: &Path, record: &Record) -> Result<Self, ManifestFault> {
        read::read(text, record).map_err(|faults| ManifestFault { path: path.into(), faults })
    }

    /// The manifest beside a library; none if there is no such file.
    pub(crate) fn beside(library: &Path, record: &Record) -> Result<Option<Self>, ManifestFault> {
        let name = file_name(record.get("name").unwrap_or_default());
        for path in [library.with_file_name(format!("{name}.module.toml")), library.with_file_name("module.toml")] {
            let failed = |error: io::Error| {
                let line = ManifestLine { line: 1, column: 1, text: error.to_string() };
                ManifestFault { path: path.clone(), faults: vec![line] }
            };
            let mut bytes = Vec::new();
            if fs::metadata(&path).is_ok_and(|found| !found.is_file()) {
                return Err(failed(io::Error::other("found something that is no file, expected one")));
            }
            match fs::File::open(&path) {
                Ok(file) => file.take(LONGEST + 1).read_to_end(&mut bytes).map_err(failed)?,
                Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
                Err(error) => return Err(failed(error)),
            };
            if bytes.len() as u64 > LONGEST {
                return Err(failed(io::Error::other(format!(
                    "found more than {LONGEST} bytes, expected at most that"
                ))));
            }
            let text = String::from_utf8(bytes).map_err(|error| failed(io::Error::other(error)))?;
            return Self::parse(&text, &path, record).map(Some);
        }
        Ok(None)
    }

    /// What the module is taken to be: with no more permissions than it says here.
    pub(crate) fn narrow(&self, info: ModuleInfo) -> ModuleInfo {
        let Some(permissions) = &self.permissions else { return info };
        let permissions: Vec<&'static str> =
            permissions.iter().map(|permission| &*String::leak(permission.clone())).collect();
        ModuleInfo { permissions: permissions.leak(), ..info }
    }

    /// Holds a module to its limits.
    pub(crate) fn hold(&self, placing: &mut Placing) {
        let lower = |own: &mut u64, limit: Option<u64>| *own = limit.map_or(*own, |limit| limit.min(*own));
        lower(&mut placing.sandbox.memory, self.limits.memory);
        lower(&mut placing.sandbox.files, self.limits.files);
        if let Some(limit) = self.limits.cpu {
            placing.sandbox.cpu = Some(placing.sandbox.cpu.map_or(limit, |own| own.min(limit)));
        }
        // What it says here and the host's configuration does not is all that it is granted.
        if let (None, Some(permissions)) = (&placing.grant, &self.permissions) {
            placing.grant = Some(permissions.clone());
        }
        placing.deadline = self.limits.deadline.map_or(placing.deadline, |limit| limit.min(placing.deadline));
    }
}
