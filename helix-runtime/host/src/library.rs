//! A library's file: whether it is complete, what it says of its module, and which build it is. Nothing of it runs.

use std::fmt;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use helix_runtime::modinfo::{Record, RecordError, SECTION};
use object::read::elf::{ElfFile64, FileHeader, ProgramHeader, SectionHeader};
use object::{Endianness, Object, ObjectSection};
use sha2::{Digest, Sha256};

use crate::manifest::{Manifest, ManifestFault};

/// Which build a file is: the first eight bytes of SHA-256 over all of its bytes but the seal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct BuildId(u64);

impl BuildId {
    fn of(bytes: &[u8]) -> Self {
        let digest = Sha256::digest(bytes);
        let first = digest.iter().take(8).fold(0, |id, byte| id << 8 | u64::from(*byte));
        Self(first)
    }
}

impl fmt::Display for BuildId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

/// A library that was read, and not run.
pub struct Library {
    /// Where it was read from.
    pub path: PathBuf,
    /// What it says of its module.
    pub record: Record,
    /// Which build it is.
    pub build: BuildId,
    /// What is said of it beside it, if there is a `module.toml`.
    pub manifest: Option<Manifest>,
    pub(crate) bytes: Vec<u8>,
}

impl fmt::Debug for Library {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Library({}, build {})", self.path.display(), self.build)
    }
}

/// Why a file is no library of a module.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FileFault {
    /// It cannot be read.
    #[error("{}: {error}", .path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system says.
        error: io::Error,
    },
    /// It is something else.
    #[error("{}: found {found}, expected an ELF shared object of 64 bits; build the module with `helix build`", .path.display())]
    NotALibrary {
        /// The file.
        path: PathBuf,
        /// What it seems to be.
        found: String,
    },
    /// Its end is missing.
    #[error("{}: the file is cut off: its {what} ends at byte {expected}, the file at {found}; build or copy it again", .path.display())]
    Truncated {
        /// The file.
        path: PathBuf,
        /// The part that is not all there.
        what: &'static str,
        /// How long the file is.
        found: u64,
        /// How long it would have to be.
        expected: u64,
    },
    /// It is not what `helix build` has sealed.
    #[error("{}: the file is damaged: found the checksum {found}, its seal says {expected}; build or copy it again", .path.display())]
    Seal {
        /// The file.
        path: PathBuf,
        /// What its bytes give.
        found: BuildId,
        /// What the seal says.
        expected: String,
    },
    /// Something follows it that is no seal.
    #[error("{}: the file is damaged: found {found} bytes after the library's end, expected a seal or nothing; build or copy it again", .path.display())]
    Trailing {
        /// The file.
        path: PathBuf,
        /// How many bytes.
        found: u64,
    },
    /// Its record is none, or one of several.
    #[error("{}: {error}", .path.display())]
    Record {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        error: RecordError,
    },
    /// What stands beside it is not what belongs there.
    #[error(transparent)]
    Manifest(#[from] ManifestFault),
}

impl FileFault {
    /// A file that begins so is something else.
    pub(crate) fn begins_with(path: &Path, bytes: &[u8]) -> Self {
        let first: String = String::from_utf8_lossy(&bytes[..bytes.len().min(5)]).escape_debug().collect();
        let found =
            if bytes.is_empty() { "an empty file".into() } else { format!("a file that begins with \"{first}\"") };
        Self::NotALibrary { path: path.into(), found }
    }

    /// The same once more: an error of the system's cannot be cloned.
    pub(crate) fn again(&self) -> Self {
        match self {
            Self::Io { path, error } => {
                Self::Io { path: path.clone(), error: io::Error::new(error.kind(), error.to_string()) }
            }
            Self::NotALibrary { path, found } => Self::NotALibrary { path: path.clone(), found: found.clone() },
            Self::Truncated { path, what, found, expected } => {
                Self::Truncated { path: path.clone(), what, found: *found, expected: *expected }
            }
            Self::Seal { path, found, expected } => {
                Self::Seal { path: path.clone(), found: *found, expected: expected.clone() }
            }
            Self::Trailing { path, found } => Self::Trailing { path: path.clone(), found: *found },
            Self::Record { path, error } => Self::Record { path: path.clone(), error: error.clone() },
            Self::Manifest(fault) => Self::Manifest(fault.clone()),
        }
    }
}

/// Ends a file that `helix build` has made: this, the build id in 16 hexadecimal digits, and a line feed.
const SEAL: &[u8] = b"\nhelix-seal 1 sha256/64=";
const SEAL_MARK: &[u8] = b"\nhelix-seal";
/// No library is longer, in bytes.
const LONGEST: u64 = 1 << 30;
const SEAL_LEN: usize = SEAL.len() + 17;

impl Library {
    /// Reads a file and checks that it is complete, and undamaged where it is sealed.
    pub fn open(path: &Path) -> Result<Self, FileFault> {
        let io = |error| FileFault::Io { path: path.into(), error };
        // Opening a pipe for reading would wait for whoever writes into it.
        let metadata = fs::metadata(path).map_err(io)?;
        let not = |found| Err(FileFault::NotALibrary { path: path.into(), found });
        if !metadata.is_file() {
            return not("no regular file".into());
        }
        if metadata.len() > LONGEST {
            return not(format!("a file of {} bytes", metadata.len()));
        }
        Self::of_bytes(path, fs::read(path).map_err(io)?)
    }

    /// The same of bytes that were read already; the path is for messages.
    pub fn of_bytes(path: &Path, bytes: Vec<u8>) -> Result<Self, FileFault> {
        let end = &bytes[bytes.len().saturating_sub(SEAL_LEN)..];
        // What begins like a seal near the end, and is none, is one that was damaged.
        let marks = end.windows(SEAL_MARK.len()).position(|window| window == SEAL_MARK);
        if let Some(at) = marks.filter(|at| *at > 0 || !end.starts_with(SEAL)) {
            let expected = String::from_utf8_lossy(&end[at..]).trim().to_string();
            return Err(FileFault::Seal { path: path.into(), found: BuildId::of(&bytes), expected });
        }
        let sealed = bytes.len().checked_sub(SEAL_LEN).map(|at| bytes.split_at(at));
        let sealed = sealed.and_then(|(contents, seal)| Some((contents, seal.strip_prefix(SEAL)?)));
        let (contents, expected) = match sealed {
            Some((contents, seal)) => (contents, Some(String::from_utf8_lossy(seal).trim_end().to_string())),
            None => (&bytes[..], None),
        };
        let build = BuildId::of(contents);
        if let Some(expected) = expected.filter(|expected| *expected != build.to_string()) {
            return Err(FileFault::Seal { path: path.into(), found: build, expected });
        }
        let section = section(path, contents)?;
        let record = Record::read_single(section).map_err(|error| FileFault::Record { path: path.into(), error })?;
        let manifest = Manifest::beside(path, &record)?;
        Ok(Self { path: path.into(), record, build, manifest, bytes })
    }

    /// The module's name.
    pub fn name(&self) -> &str {
        self.record.get("name").unwrap_or("?")
    }
}

/// Appends what `helix build` does, so that damage anywhere is found before the file is loaded.
pub fn seal(contents: &mut Vec<u8>) {
    let build = BuildId::of(contents);
    contents.extend_from_slice(SEAL);
    contents.extend_from_slice(format!("{build}\n").as_bytes());
}

/// The section of records, of a file that is complete.
fn section<'a>(path: &Path, contents: &'a [u8]) -> Result<&'a [u8], FileFault> {
    let not = |found: String| FileFault::NotALibrary { path: path.into(), found };
    if !contents.starts_with(b"\x7fELF") {
        return Err(FileFault::begins_with(path, contents));
    }
    let size = contents.len() as u64;
    let cut = |what, expected| FileFault::Truncated { path: path.into(), what, found: size, expected };
    if size < 64 {
        return Err(cut("header", 64));
    }
    let header = object::elf::FileHeader64::<Endianness>::parse(contents).map_err(|error| not(error.to_string()))?;
    let endian = header.endian().map_err(|error| not(error.to_string()))?;
    let kind = header.e_type(endian);
    if kind != object::elf::ET_DYN {
        return Err(not(format!("an ELF file of type {kind}")));
    }
    let entries = u64::from(header.e_shnum(endian)) * u64::from(header.e_shentsize(endian));
    let sections_end = header.e_shoff(endian).saturating_add(entries);
    if header.e_shoff(endian) == 0 || sections_end > size {
        return Err(cut("table of sections", sections_end));
    }
    for segment in header.program_headers(endian, contents).map_err(|error| not(error.to_string()))? {
        let (offset, length) = segment.file_range(endian);
        let end = offset.saturating_add(length);
        if end > size {
            return Err(cut("code and data", end));
        }
    }
    let sections = header.sections(endian, contents).map_err(|error| not(error.to_string()))?;
    let ends =
        sections.iter().filter_map(|section| section.file_range(endian)).map(|(at, length)| at.saturating_add(length));
    let end = ends.chain([sections_end]).max().unwrap_or(sections_end);
    if end > size {
        return Err(cut("sections", end));
    }
    if end < size {
        return Err(FileFault::Trailing { path: path.into(), found: size - end });
    }
    let file = ElfFile64::<Endianness>::parse(contents).map_err(|error| not(error.to_string()))?;
    let missing = || FileFault::Record { path: path.into(), error: RecordError::Missing };
    let section = file.section_by_name(SECTION).ok_or_else(missing)?;
    section.data().map_err(|error| not(error.to_string()))
}
