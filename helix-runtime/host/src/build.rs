//! Cargo, as it is run for a module crate: one library, sealed.

use std::ffi::OsString;
use std::fs;
use std::io::{BufReader, Read};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use cargo_metadata::{Dependency, Message, Metadata, MetadataCommand, Package, TargetKind};

use crate::library::{self, BuildId, FileFault, Library};

/// How module crates are built.
#[derive(Debug, Clone, Default)]
pub struct Cargo {
    /// Whether with optimizations.
    pub release: bool,
    /// Whether the library keeps what debuggers read: ten times its size, which is copied and checked at each load.
    pub debuginfo: bool,
    /// Whether cargo shows its progress, as on a terminal.
    pub progress: bool,
    /// Whether the lock file must be as it is.
    pub locked: bool,
    /// Where artifacts go; cargo's own choice if none.
    pub target_dir: Option<PathBuf>,
}

/// A library that was built.
#[derive(Debug, Clone)]
pub struct Built {
    /// The module's name.
    pub module: String,
    /// The sealed library.
    pub path: PathBuf,
    /// Which build it is.
    pub build: BuildId,
    /// How long cargo took.
    pub cargo: Duration,
    /// The compiler's warnings, as it shows them.
    pub warnings: String,
}

/// Ends a build before it is done.
#[derive(Debug, Default)]
pub struct Cancel {
    cargo: Mutex<Option<Child>>,
    canceled: AtomicBool,
}

impl Cancel {
    /// Kills cargo and what it has started. A build that has not begun yet ends at once.
    pub fn cancel(&self) {
        self.canceled.store(true, Ordering::Release);
        if let Some(cargo) = &*self.locked() {
            kill(cargo);
        }
    }

    fn locked(&self) -> MutexGuard<'_, Option<Child>> {
        self.cargo.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn runs(&self, cargo: Child) {
        let mut running = self.locked();
        if self.canceled.load(Ordering::Acquire) {
            kill(&cargo);
        }
        *running = Some(cargo);
    }

    /// How cargo has ended, which has closed its pipes; nothing if it was killed.
    fn wait(&self) -> std::io::Result<Option<ExitStatus>> {
        let mut running = self.locked();
        let status = running.take().map(|mut cargo| cargo.wait()).transpose()?;
        Ok(status.filter(|_| !self.canceled.load(Ordering::Acquire)))
    }
}

/// It leads a group of its own, in which the compilers are too.
fn kill(cargo: &Child) {
    let group = i32::try_from(cargo.id()).ok().and_then(rustix::process::Pid::from_raw);
    if let Some(group) = group {
        // It may have ended by itself.
        let _ = rustix::process::kill_process_group(group, rustix::process::Signal::KILL);
    }
}

/// Why a module crate was not built.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BuildFailure {
    /// Cargo could not be run.
    #[error("cargo could not be run: {0}; install it with rustup")]
    Cargo(std::io::Error),
    /// Cargo does not know the crate.
    #[error("{0}")]
    Metadata(String),
    /// The folder is no crate with a library.
    #[error("{}: found {found}, expected a crate with a library, in which one struct carries `#[helix_module]`", .path.display())]
    NotAModule {
        /// The crate.
        path: PathBuf,
        /// What is there.
        found: String,
    },
    /// The compiler has refused.
    #[error("{package} does not compile")]
    Compiler {
        /// The crate.
        package: String,
        /// The compiler's errors, as it shows them.
        rendered: String,
    },
    /// The library that was built could not be sealed.
    #[error("{}: {error}", .path.display())]
    Seal {
        /// The library.
        path: PathBuf,
        /// What the system says.
        error: std::io::Error,
    },
    /// It was ended early.
    #[error("the build was ended early")]
    Canceled,
    /// What was built is no module.
    #[error(transparent)]
    File(#[from] FileFault),
}

/// A module crate that cargo knows.
#[derive(Debug, Clone)]
pub struct ModuleCrate {
    /// Its package's name.
    pub package: String,
    /// The folder of its manifest.
    pub folder: PathBuf,
    library: String,
    /// What is switched on in what it depends on.
    features: Vec<String>,
    target_dir: PathBuf,
    /// The folders of this package and of those it depends on that are in the workspace or beside it.
    pub sources: Vec<PathBuf>,
}

/// The folders of a package and of those that it depends on that are on this machine's disk.
fn sources(metadata: &Metadata, package: &Package) -> Vec<PathBuf> {
    let nodes = metadata.resolve.as_ref().map(|resolve| resolve.nodes.as_slice()).unwrap_or_default();
    let mut reached = vec![&package.id];
    let mut at = 0;
    while let Some(id) = reached.get(at).copied() {
        let node = nodes.iter().find(|node| node.id == *id);
        for next in node.iter().flat_map(|node| &node.dependencies) {
            if !reached.contains(&next) {
                reached.push(next);
            }
        }
        at += 1;
    }
    let local = |package: &&Package| package.source.is_none() && reached.contains(&&package.id);
    let folder = |package: &Package| package.manifest_path.parent().map(|path| path.into());
    metadata.packages.iter().filter(local).filter_map(folder).collect()
}

/// What a dependency is called in the crate's manifest.
fn called(dependency: &Dependency) -> &str {
    dependency.rename.as_ref().unwrap_or(&dependency.name)
}

impl Cargo {
    /// Finds the crate in a folder.
    pub fn find(&self, folder: &Path) -> Result<ModuleCrate, BuildFailure> {
        let not = |found: &str| BuildFailure::NotAModule { path: folder.into(), found: found.into() };
        let manifest = folder.join("Cargo.toml");
        let manifest = fs::canonicalize(&manifest).map_err(|_| not("no Cargo.toml"))?;
        let metadata = MetadataCommand::new().manifest_path(&manifest).exec();
        let metadata = metadata.map_err(|error| match error {
            cargo_metadata::Error::Io(error) => BuildFailure::Cargo(error),
            cargo_metadata::Error::CargoMetadata { stderr } => BuildFailure::Metadata(stderr.trim().to_string()),
            error => BuildFailure::Metadata(error.to_string()),
        })?;
        let package = metadata.packages.iter().find(|package| package.manifest_path.as_std_path() == manifest);
        let package = package.ok_or_else(|| not("a workspace without a package of its own"))?;
        let is_library = |kind: &TargetKind| matches!(kind, TargetKind::Lib | TargetKind::RLib | TargetKind::CDyLib);
        let library = package.targets.iter().find(|target| target.kind.iter().any(is_library));
        let library = library.ok_or_else(|| not("a package without a library"))?;
        let runtime = package.dependencies.iter().find(|dependency| dependency.name == "helix-runtime");
        let runtime = runtime.ok_or_else(|| not("a package that does not depend on helix-runtime"))?;
        // A library carries its own std: only then does a panic end where it began.
        let mut features = vec![format!("{}/std", called(runtime))];
        // Without a subscriber, of which a library has none, `tracing` writes to the log; that goes to the host.
        let tracing = package.dependencies.iter().find(|dependency| dependency.name == "tracing");
        features.extend(tracing.map(|tracing| format!("{}/log", called(tracing))));
        let sources = sources(&metadata, package);
        Ok(ModuleCrate {
            package: package.name.to_string(),
            folder: folder.into(),
            library: library.name.clone(),
            features,
            target_dir: self.target_dir.clone().unwrap_or_else(|| metadata.target_directory.clone().into()),
            sources,
        })
    }

    /// The command that builds a crate.
    fn command(&self, module: &ModuleCrate) -> Command {
        let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| OsString::from("cargo")));
        command.arg("rustc").arg("--manifest-path").arg(module.folder.join("Cargo.toml"));
        let format = if self.progress { "json-diagnostic-rendered-ansi" } else { "json" };
        command.args(["--lib", "--crate-type", "cdylib", "--message-format", format]);
        command.arg("--features").arg(module.features.join(","));
        command.arg("--target-dir").arg(&module.target_dir);
        if self.release {
            command.arg("--release");
        }
        if self.progress {
            command.args(["--color", "always"]);
            command.env("CARGO_TERM_PROGRESS_WHEN", "always").env("CARGO_TERM_PROGRESS_WIDTH", "80");
        }
        if self.locked {
            command.arg("--locked");
        }
        command.args(["--", "--cfg", "helix_export"]);
        if !self.debuginfo {
            command.args(["-C", "strip=debuginfo"]);
        }
        command
    }

    /// Builds a crate. `talk` is given what cargo says meanwhile, as it says it; `cancel` can end it early.
    pub fn build(
        &self,
        module: &ModuleCrate,
        cancel: &Cancel,
        talk: &mut dyn FnMut(&[u8]),
    ) -> Result<Built, BuildFailure> {
        let began = Instant::now();
        let mut command = self.command(module);
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).process_group(0);
        let mut cargo = command.spawn().map_err(BuildFailure::Cargo)?;
        let (stdout, stderr) = (cargo.stdout.take(), cargo.stderr.take());
        cancel.runs(cargo);
        let reader = std::thread::spawn(move || {
            messages(
                stdout.into_iter().flat_map(|out| Message::parse_stream(BufReader::new(out)).map_while(Result::ok)),
            )
        });
        let mut said = Vec::new();
        if let Some(mut stderr) = stderr {
            let mut buffer = [0; 4096];
            while let Ok(length @ 1..) = stderr.read(&mut buffer) {
                talk(&buffer[..length]);
                said.extend_from_slice(&buffer[..length]);
            }
        }
        let Some(status) = cancel.wait().map_err(BuildFailure::Cargo)? else { return Err(BuildFailure::Canceled) };
        let (artifact, mut rendered) = reader.join().unwrap_or_default();
        let took = began.elapsed();
        let Some(artifact) = artifact.filter(|_| status.success()) else {
            if rendered.is_empty() {
                rendered = String::from_utf8_lossy(&said).into_owned();
            }
            return Err(BuildFailure::Compiler { package: module.package.clone(), rendered });
        };
        let folder = module.target_dir.join("helix").join(if self.release { "release" } else { "debug" });
        let path = folder.join(format!("{}.so", module.library));
        let sealed =
            seal(&artifact, &folder, &path).map_err(|error| BuildFailure::Seal { path: path.clone(), error })?;
        let library = Library::of_bytes(&path, sealed)?;
        let module = library.name().to_string();
        Ok(Built { module, path, build: library.build, cargo: took, warnings: rendered })
    }
}

/// The library that was made, and the compiler's errors.
fn messages(messages: impl Iterator<Item = Message>) -> (Option<PathBuf>, String) {
    let (mut artifact, mut rendered) = (None, String::new());
    for message in messages {
        match message {
            Message::CompilerArtifact(made) => {
                let library =
                    made.filenames.iter().find(|file| file.extension() == Some(std::env::consts::DLL_EXTENSION));
                artifact = library.map(|file| file.clone().into()).or(artifact);
            }
            Message::CompilerMessage(said) => rendered.push_str(&said.message.rendered.unwrap_or_default()),
            _ => {}
        }
    }
    (artifact, rendered)
}

/// Puts a sealed copy in its place, all at once.
fn seal(artifact: &Path, folder: &Path, path: &Path) -> std::io::Result<Vec<u8>> {
    let mut bytes = fs::read(artifact)?;
    library::seal(&mut bytes);
    fs::create_dir_all(folder)?;
    let mut file = tempfile::NamedTempFile::new_in(folder)?;
    std::io::Write::write_all(&mut file, &bytes)?;
    // Whoever runs it need not be whoever has built it.
    fs::set_permissions(file.path(), fs::metadata(artifact)?.permissions())?;
    file.persist(path)?;
    Ok(bytes)
}
