//! Sources that change: built at the first change, built anew if they change meanwhile, and what was built is reloaded.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::time::{Duration, Instant};

use notify::{RecursiveMode, Watcher};
use sha2::{Digest, Sha256};

use crate::build::{BuildFailure, Built, Cancel, Cargo, ModuleCrate};
use crate::host::{Host, HostFault, Reloaded};

/// Module crates whose sources are watched on behalf of a host.
#[derive(Debug)]
pub struct Watch {
    cargo: Cargo,
    crates: Vec<ModuleCrate>,
    /// What was in the sources when this was made: what has changed since then is built.
    contents: Contents,
}

/// What is told while sources are watched.
#[derive(Debug)]
#[non_exhaustive]
pub enum Told {
    /// These files have changed, and these crates are built.
    Changed {
        /// The files.
        files: Vec<PathBuf>,
        /// The packages.
        packages: Vec<String>,
    },
    /// What cargo says, as it says it.
    Cargo(Vec<u8>),
    /// A build has failed; the module serves on.
    Failed {
        /// What the compiler says.
        failure: BuildFailure,
        /// From the change to the failure.
        after: Duration,
    },
    /// The sources have changed again: the build is begun anew.
    Again,
    /// A module was reloaded, or there was nothing new.
    Reloaded {
        /// How it went.
        reloaded: Reloaded,
        /// The compiler's warnings.
        warnings: String,
        /// From the change to the answer of the new code.
        after: Duration,
    },
    /// What was built could not be put in the old one's place.
    Refused {
        /// Why, and what serves on.
        fault: HostFault,
        /// From the change to the refusal.
        after: Duration,
    },
    /// The system does not watch a folder any more.
    Blind(String),
}

enum News {
    Touched(Vec<PathBuf>),
    Blind(String),
    Talk(Vec<u8>),
    /// The build of that number has ended.
    Built(u64, Result<Built, BuildFailure>),
}

/// How long after a change others of the same edit may follow: an editor writes several files, or one in several steps.
const SETTLE: Duration = Duration::from_millis(2);
const LOOK: Duration = Duration::from_millis(50);

impl Watch {
    /// Watches the sources of these crates, and of what they depend on beside them, as they are now: it is made before the
    /// crates are built for the first time, so that an edit in the middle of that is not missed.
    pub fn new(cargo: Cargo, crates: Vec<ModuleCrate>) -> Self {
        let mut contents = Contents::default();
        crates.iter().flat_map(|module| &module.sources).for_each(|folder| drop(contents.look(folder)));
        Self { cargo, crates, contents }
    }

    /// Watches until `ended` is set. `ready` is called once the system watches.
    ///
    /// # Errors
    /// When the system does not watch.
    pub fn run(
        self,
        host: &Host,
        ended: &AtomicBool,
        ready: impl FnOnce(),
        told: &mut dyn FnMut(Told),
    ) -> Result<(), HostFault> {
        let (tells, news) = channel();
        let on_change = tells.clone();
        let watcher = notify::recommended_watcher(move |event: notify::Result<notify::Event>| {
            let news = match event {
                Ok(event) if event.kind.is_access() => return,
                Ok(event) => News::Touched(event.paths),
                Err(error) => News::Blind(error.to_string()),
            };
            // Nobody listens any more when the watch ends.
            drop(on_change.send(news));
        });
        let Self { cargo, crates, contents } = self;
        let mut round = Round {
            cargo,
            crates,
            contents,
            watcher: watcher.map_err(blind)?,
            tells,
            building: None,
            builds: 0,
            waiting: Vec::new(),
            built: Vec::new(),
            has_failed: false,
            began: Instant::now(),
        };
        round.watch_all()?;
        ready();
        let missed = round.look();
        if !missed.is_empty() {
            round.changed(missed, Instant::now(), told);
        }
        while !ended.load(Ordering::Acquire) {
            round.step(&news, host, told);
        }
        round.cancel();
        Ok(())
    }
}

fn blind(error: notify::Error) -> HostFault {
    HostFault::Folder(std::io::Error::other(error.to_string()))
}

/// What was in each file, so that one that was only touched does not count.
#[derive(Debug, Default)]
struct Contents(BTreeMap<PathBuf, [u8; 32]>);

impl Contents {
    fn is_source(path: &Path) -> bool {
        let extension = path.extension().and_then(|extension| extension.to_str());
        let hidden = path.file_name().and_then(|name| name.to_str()).is_none_or(|name| name.starts_with('.'));
        !hidden && (matches!(extension, Some("rs" | "toml")) || path.components().any(|part| part.as_os_str() == "src"))
    }

    /// The sources of a crate that have changed since they were last looked at.
    fn look(&mut self, folder: &Path) -> Vec<PathBuf> {
        let mut changed = Vec::new();
        for path in [folder.join("Cargo.toml"), folder.join("build.rs"), folder.join("src")] {
            self.look_at(&path, &mut changed);
        }
        let gone: Vec<PathBuf> =
            self.0.keys().filter(|path| path.starts_with(folder) && !path.exists()).cloned().collect();
        changed.extend(gone.into_iter().filter(|path| self.0.remove(path).is_some()));
        changed
    }

    fn look_at(&mut self, path: &Path, changed: &mut Vec<PathBuf>) {
        match fs::read_dir(path) {
            Ok(entries) => entries.flatten().for_each(|entry| self.look_at(&entry.path(), changed)),
            Err(_) => {
                if Self::is_source(path) && self.has_changed(path) {
                    changed.push(path.into());
                }
            }
        }
    }

    fn has_changed(&mut self, path: &Path) -> bool {
        let Ok(bytes) = fs::read(path) else { return self.0.remove(path).is_some() };
        let hash = Sha256::digest(&bytes).into();
        self.0.insert(path.into(), hash) != Some(hash)
    }
}

/// A build that is under way.
struct Building {
    number: u64,
    /// Which of the crates.
    at: usize,
    cancel: Arc<Cancel>,
}

/// What is built at the moment, and what is to be built next.
struct Round {
    cargo: Cargo,
    crates: Vec<ModuleCrate>,
    contents: Contents,
    watcher: notify::RecommendedWatcher,
    tells: Sender<News>,
    building: Option<Building>,
    builds: u64,
    waiting: Vec<usize>,
    /// What was built since the first change: it is reloaded when all of it is there.
    built: Vec<Built>,
    /// Whether one of them was not.
    has_failed: bool,
    /// When the first change was seen.
    began: Instant,
}

impl Round {
    /// The folders of the sources, each once.
    fn folders(&self) -> Vec<PathBuf> {
        let mut folders: Vec<PathBuf> = self.crates.iter().flat_map(|module| &module.sources).cloned().collect();
        folders.sort();
        folders.dedup();
        folders
    }

    /// Lets the system watch every source. What is watched already is so anew: a folder may be another one by that name.
    fn watch_all(&mut self) -> Result<(), HostFault> {
        for folder in self.folders() {
            // The manifest, which an editor may replace by another file of that name, and `src` itself.
            self.watcher.watch(&folder, RecursiveMode::NonRecursive).map_err(blind)?;
            let sources = folder.join("src");
            if sources.exists() {
                let _ = self.watcher.unwatch(&sources);
                self.watcher.watch(&sources, RecursiveMode::Recursive).map_err(blind)?;
            }
        }
        Ok(())
    }

    /// The sources that have changed since they were last looked at.
    fn look(&mut self) -> Vec<PathBuf> {
        self.folders().iter().flat_map(|folder| self.contents.look(folder)).collect()
    }

    fn step(&mut self, news: &Receiver<News>, host: &Host, told: &mut dyn FnMut(Told)) {
        match news.recv_timeout(LOOK) {
            Ok(News::Touched(first)) => {
                let seen = Instant::now();
                let mut paths = first;
                while let Ok(next) = news.recv_timeout(SETTLE) {
                    match next {
                        News::Touched(more) => paths.extend(more),
                        other => self.hear(other, host, told),
                    }
                }
                self.touched(paths, seen, told);
            }
            Ok(other) => self.hear(other, host, told),
            Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => {}
        }
    }

    fn touched(&mut self, mut paths: Vec<PathBuf>, seen: Instant, told: &mut dyn FnMut(Told)) {
        paths.sort();
        paths.dedup();
        let is_folder = |path: &PathBuf| path.is_dir() || path.file_name().is_some_and(|name| name == "src");
        let is_moved = paths.iter().any(is_folder);
        paths.retain(|path| Contents::is_source(path) && self.contents.has_changed(path));
        let is_manifest = paths.iter().any(|path| path.file_name().is_some_and(|name| name == "Cargo.toml"));
        if is_manifest {
            // What the crates depend on may be other folders now. What cargo has against it, the build tells.
            for module in &mut self.crates {
                if let Ok(found) = self.cargo.find(&module.folder) {
                    *module = found;
                }
            }
        }
        if is_moved || is_manifest {
            if let Err(fault) = self.watch_all() {
                told(Told::Blind(fault.to_string()));
            }
            paths.extend(self.look());
        }
        if !paths.is_empty() {
            self.changed(paths, seen, told);
        }
    }

    fn changed(&mut self, files: Vec<PathBuf>, seen: Instant, told: &mut dyn FnMut(Told)) {
        let is_of =
            |module: &ModuleCrate| files.iter().any(|file| module.sources.iter().any(|at| file.starts_with(at)));
        let meant: Vec<usize> = (0..self.crates.len()).filter(|at| is_of(&self.crates[*at])).collect();
        if meant.is_empty() {
            return;
        }
        if let Some(building) = self.building.as_ref().filter(|building| meant.contains(&building.at)) {
            self.waiting.insert(0, building.at);
            self.cancel();
            told(Told::Again);
        } else if self.building.is_none() && self.waiting.is_empty() {
            self.began = seen;
        }
        // What was not built may be now.
        self.has_failed = false;
        let packages = meant.iter().map(|at| self.crates[*at].package.clone()).collect();
        told(Told::Changed { files, packages });
        for at in meant {
            if !self.waiting.contains(&at) {
                self.waiting.push(at);
            }
        }
        self.next();
    }

    fn hear(&mut self, news: News, host: &Host, told: &mut dyn FnMut(Told)) {
        match news {
            News::Talk(bytes) => told(Told::Cargo(bytes)),
            News::Blind(text) => told(Told::Blind(text)),
            News::Touched(_) => {}
            News::Built(number, built) => {
                // One that was ended early may have ended well before that.
                if self.building.as_ref().is_none_or(|building| building.number != number) {
                    return;
                }
                self.building = None;
                match built {
                    Ok(built) => {
                        self.built.retain(|other| other.module != built.module);
                        self.built.push(built);
                    }
                    Err(failure) => {
                        self.has_failed = true;
                        told(Told::Failed { failure, after: self.began.elapsed() });
                    }
                }
                self.next();
                if self.building.is_none() {
                    self.reload(host, told);
                }
            }
        }
    }

    /// Reloads what was built, unless something that has changed with it was not: they may share what has changed.
    fn reload(&mut self, host: &Host, told: &mut dyn FnMut(Told)) {
        let built = std::mem::take(&mut self.built);
        if std::mem::take(&mut self.has_failed) {
            return;
        }
        for built in built {
            let reloaded = host.reload_built(&built);
            let after = self.began.elapsed();
            told(match reloaded {
                Ok(reloaded) => Told::Reloaded { reloaded, warnings: built.warnings, after },
                Err(fault) => Told::Refused { fault, after },
            });
        }
    }

    /// Begins the next build, if none is under way.
    fn next(&mut self) {
        if self.building.is_some() || self.waiting.is_empty() {
            return;
        }
        let at = self.waiting.remove(0);
        let cancel = Arc::new(Cancel::default());
        self.builds += 1;
        let number = self.builds;
        self.building = Some(Building { number, at, cancel: cancel.clone() });
        let (cargo, module, tells) = (self.cargo.clone(), self.crates[at].clone(), self.tells.clone());
        std::thread::spawn(move || {
            let mut talk = |bytes: &[u8]| drop(tells.send(News::Talk(bytes.to_vec())));
            let built = cargo.build(&module, &cancel, &mut talk);
            drop(tells.send(News::Built(number, built)));
        });
    }

    fn cancel(&mut self) {
        if let Some(building) = self.building.take() {
            building.cancel.cancel();
        }
    }
}
