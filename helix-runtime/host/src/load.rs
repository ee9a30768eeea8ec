//! The one place that loads a library and the one that looks into it.

use std::fs;
use std::io::{self, BufRead, BufReader};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use helix_runtime::boundary::{Export, SYMBOL};
use helix_runtime::{Descriptor, ModuleInfo};
use libloading::os::unix;
use tempfile::TempDir;

use crate::accept::{Refusal, accept};
use crate::library::{BuildId, FileFault, Library};
use crate::manifest::Manifest;
use crate::process::{Placings, Processes};
use crate::trust::{Trust, TrustFault};

/// Loads libraries, each under a name of its own, so that the system never takes one for another.
///
/// A library that was loaded stays mapped until the process ends: what it has handed out lasts as long. The same build is
/// mapped once, however often it is loaded.
#[derive(Debug)]
pub struct Loader {
    folder: TempDir,
    _lock: fs::File,
    known: Mutex<Vec<Known>>,
    count: AtomicUsize,
    pub(crate) placings: Placings,
    trust: Trust,
    /// Those of every descriptor that is served by some.
    pub(crate) processes: Mutex<Vec<(&'static Descriptor, Arc<Processes>)>>,
}

/// What was loaded, and what its manifest said then.
#[derive(Debug)]
struct Known {
    loaded: Loaded,
    manifest: Option<Manifest>,
}

/// A library that is mapped.
#[derive(Debug, Clone, Copy)]
pub struct Loaded {
    /// Its module, for [`Runtime::add_descriptor`](helix_runtime::Runtime::add_descriptor) and
    /// [`Runtime::replace`](helix_runtime::Runtime::replace).
    pub descriptor: &'static Descriptor,
    /// Which build it is.
    pub build: BuildId,
    /// How many bytes stay mapped in this process: as long as its file is. None where it was mapped before, and only what its
    /// manifest says is new, or where a process of its own maps it.
    pub size: usize,
}

/// Why a library was not loaded. Nothing of it has run but what the last two say.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LoadFault {
    /// The file is none.
    #[error(transparent)]
    File(#[from] FileFault),
    /// It does not fit into this program.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// Too few whom the host trusts have signed it.
    #[error(transparent)]
    Trust(#[from] TrustFault),
    /// It could not be copied to a name of its own.
    #[error("{}: it could not be copied: {error}", .path.display())]
    Copy {
        /// Where to.
        path: PathBuf,
        /// What the system says.
        error: io::Error,
    },
    /// The system's loader does not take it.
    #[error("{}: the system's loader refuses it: {reason}", .path.display())]
    System {
        /// The file.
        path: PathBuf,
        /// What the loader says.
        reason: String,
    },
    /// No process serves it.
    #[error("{}: {reason}", .path.display())]
    Process {
        /// The file.
        path: PathBuf,
        /// Why not.
        reason: String,
    },
    /// What is mapped is not what was to be loaded.
    #[error("{}: the code that was mapped is not this file's: expected build {expected}", .path.display())]
    Other {
        /// The file.
        path: PathBuf,
        /// The build that was to be loaded.
        expected: BuildId,
    },
}

impl Loader {
    /// A loader with a folder of its own below the system's folder for temporary files, which goes with it.
    pub fn new() -> io::Result<Self> {
        sweep();
        let (folder, lock) = own_folder()?;
        Ok(Self {
            folder,
            _lock: lock,
            known: Mutex::default(),
            count: AtomicUsize::new(0),
            placings: Placings::default(),
            trust: Trust::default(),
            processes: Mutex::default(),
        })
    }

    /// Places modules so from here on.
    pub fn with_placings(self, placings: Placings) -> Self {
        Self { placings, ..self }
    }

    /// Trusts these from here on.
    pub fn with_trust(self, trust: Trust) -> Self {
        Self { trust, ..self }
    }

    /// Reads, accepts and loads a file.
    pub fn load(&self, path: &Path) -> Result<Loaded, LoadFault> {
        let library = Library::open(path)?;
        self.load_library(&library)
    }

    /// Accepts and loads a library that was read.
    pub fn load_library(&self, library: &Library) -> Result<Loaded, LoadFault> {
        let same = |known: &Known| known.loaded.build == library.build && known.manifest == library.manifest;
        if let Some(loaded) = self.find(same) {
            return Ok(loaded);
        }
        self.trust.check(library)?;
        let info = library.record.info().map_err(|error| FileFault::Record { path: library.path.clone(), error })?;
        let info = library.manifest.as_ref().map_or(info, |manifest| manifest.narrow(info));
        let loaded = match self.placings.of(&info, library.manifest.as_ref()) {
            Some(placing) => {
                let descriptor = self.load_in_process(library, info, &placing)?;
                Loaded { descriptor, build: library.build, size: 0 }
            }
            None => self.map(library)?.taken_for(info),
        };
        let manifest = library.manifest.clone();
        self.known.lock().unwrap_or_else(|error| error.into_inner()).push(Known { loaded, manifest });
        Ok(loaded)
    }

    fn find(&self, is_it: impl Fn(&Known) -> bool) -> Option<Loaded> {
        let known = self.known.lock().unwrap_or_else(|error| error.into_inner());
        known.iter().find(|known| is_it(known)).map(|known| known.loaded)
    }

    /// Maps a library, unless that build is mapped.
    fn map(&self, library: &Library) -> Result<Loaded, LoadFault> {
        let is_mapped = |known: &Known| known.loaded.build == library.build && known.loaded.size > 0;
        if let Some(loaded) = self.find(is_mapped) {
            return Ok(Loaded { size: 0, ..loaded });
        }
        let path = self.accepted(library)?;
        map(&path, library).inspect_err(|_| drop(fs::remove_file(&path)))
    }

    /// Accepts a library, and copies it to a name of its own.
    pub(crate) fn accepted(&self, library: &Library) -> Result<PathBuf, LoadFault> {
        accept(library)?;
        let number = self.count.fetch_add(1, Ordering::Relaxed);
        let path = self.folder.path().join(format!("{}-{number}-{}.so", file_name(library.name()), library.build));
        let copied = copy(&path, &library.bytes).inspect_err(|_| drop(fs::remove_file(&path)));
        copied.map_err(|error| LoadFault::Copy { path: path.clone(), error })?;
        Ok(path)
    }

    /// How many libraries are mapped, and how long their files are together, in bytes.
    pub fn mapped(&self) -> (usize, usize) {
        let known = self.known.lock().unwrap_or_else(|error| error.into_inner());
        let mapped = known.iter().map(|known| known.loaded.size).filter(|size| *size > 0);
        (mapped.clone().count(), mapped.sum())
    }
}

impl Loaded {
    /// The same code for a module of that description.
    fn taken_for(self, info: ModuleInfo) -> Self {
        if self.descriptor.info == info {
            return self;
        }
        let mut descriptor = *self.descriptor;
        descriptor.info = info;
        Self { descriptor: Box::leak(Box::new(descriptor)), ..self }
    }
}

/// Accepts and loads a file where it lies, into a process that is the module's own.
pub(crate) fn load_here(path: &Path) -> Result<Loaded, LoadFault> {
    let library = Library::open(path)?;
    accept(&library)?;
    map(path, &library)
}

const PREFIX: &str = "helix-libraries-";
/// Whoever has the folder holds a lock on this file in it, as long as they live.
const LOCK: &str = "lock";

/// A folder of this loader's own, with its lock.
fn own_folder() -> io::Result<(TempDir, fs::File)> {
    let folder = tempfile::Builder::new().prefix(PREFIX).tempdir()?;
    fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o700))?;
    // Locked before it has its name: to another loader that sweeps meanwhile one that is there and not locked is left behind.
    let unnamed = folder.path().join("unnamed");
    let lock = fs::File::create_new(&unnamed)?;
    lock.try_lock().map_err(io::Error::from)?;
    fs::rename(unnamed, folder.path().join(LOCK))?;
    Ok((folder, lock))
}

/// Removes the folders of hosts that were killed: of this very user, of this very make, and locked by nobody.
fn sweep() {
    let Ok(entries) = fs::read_dir(std::env::temp_dir()) else { return };
    let own = rustix::process::geteuid().as_raw();
    for entry in entries.flatten() {
        let name = entry.file_name();
        let is_one = name.to_str().and_then(|name| name.strip_prefix(PREFIX)).is_some_and(|rest| rest.len() == 6);
        let is_own = entry.metadata().is_ok_and(|found| found.is_dir() && found.uid() == own);
        let lock = fs::File::open(entry.path().join(LOCK));
        let is_left = lock.as_ref().is_ok_and(|lock| lock.try_lock().is_ok());
        if is_one && is_own && is_left {
            // Whoever looks at the same moment may have been quicker.
            drop(fs::remove_dir_all(entry.path()));
        }
    }
}

/// A module's name in a file's: it may have a `/`, and has no `+`.
pub(crate) fn file_name(module: &str) -> String {
    module.replace('/', "+")
}

fn copy(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut file = fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
    io::Write::write_all(&mut file, bytes)
}

fn map(path: &Path, library: &Library) -> Result<Loaded, LoadFault> {
    let refused = |error: libloading::Error| LoadFault::System { path: library.path.clone(), reason: in_full(&error) };
    // Now, so that a symbol that is missing is found here and not in the middle of a call.
    let flags = unix::RTLD_NOW | unix::RTLD_LOCAL;
    // SAFETY: what runs at load are the initialisers of a library that this compiler has built from a crate of the user's,
    // as its record says; the file is complete, and a copy that nobody else knows.
    let mapped = unsafe { unix::Library::open(Some(path), flags) }.map_err(refused)?;
    // SAFETY: the record says that the symbol is a static `Export` of this program's very layout.
    let export = unsafe { mapped.get::<&'static Export>(SYMBOL.as_bytes()) }.map(|symbol| *symbol);
    // What is in it has no destructor that runs before the process ends: it stays.
    std::mem::forget(mapped);
    let export = export.map_err(refused)?;
    if !is_mapped_from(core::ptr::from_ref(export).addr(), path) {
        return Err(LoadFault::Other { path: library.path.clone(), expected: library.build });
    }
    // SAFETY: the record has this program's tag, and the library stays mapped.
    let descriptor = unsafe { export.adopt() };
    Ok(Loaded { descriptor, build: library.build, size: library.bytes.len() })
}

fn in_full(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(error) = source {
        text = format!("{text}: {error}");
        source = error.source();
    }
    text
}

/// Whether what is mapped at an address is that very file: the proof that the code that answers is the one that was built.
fn is_mapped_from(address: usize, file: &Path) -> bool {
    let Ok(metadata) = fs::metadata(file) else { return false };
    let Ok(maps) = fs::File::open("/proc/self/maps") else { return false };
    // Only as far as need be: what was mapped last stands near the top, and there may be thousands below.
    let inode = BufReader::new(maps).lines().map_while(Result::ok).find_map(|line| {
        let mut fields = line.split_ascii_whitespace();
        let (from, to) = fields.next()?.split_once('-')?;
        let range = usize::from_str_radix(from, 16).ok()?..usize::from_str_radix(to, 16).ok()?;
        if range.contains(&address) { fields.nth(3)?.parse::<u64>().ok() } else { None }
    });
    inode == Some(metadata.ino())
}
