//! What a host is made of, and how it starts.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;
use std::sync::mpsc::sync_channel;
use std::sync::{Arc, Mutex, Weak};
use std::time::Instant;

use helix_runtime::{Builder, Descriptor, Missing, ModuleInfo, ModuleSet, NodeStartupCompleted, Runtime, SystemClock};

use crate::config::Configuration;
use crate::directory::{Directory, Found};
use crate::library::Library;
use crate::load::Loader;
use crate::process::Placings;

use super::book::LogBook;
use super::change::Changing;
use super::check;
use super::claim::Claim;
use super::configured::{Configured, Shown};
use super::fault::HostFault;
use super::keep::Keep;
use super::lazy::Lazy;
use super::{Host, InLibrary, Shared, locked};

/// Gathers what a host is made of.
pub struct HostBuilder {
    linked: Vec<ModuleSet>,
    directory: Directory,
    folders: Vec<PathBuf>,
    configuration: Configuration,
    log: Option<&'static LogBook>,
    statistics: bool,
    more: Box<dyn FnOnce(Builder) -> Builder>,
}

impl std::fmt::Debug for HostBuilder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("HostBuilder").field("directory", &self.directory).finish_non_exhaustive()
    }
}

impl Default for HostBuilder {
    fn default() -> Self {
        Self {
            linked: Vec::new(),
            directory: Directory::default(),
            folders: Vec::new(),
            configuration: Configuration::default(),
            log: None,
            statistics: false,
            more: Box::new(|builder| builder),
        }
    }
}

impl HostBuilder {
    /// Adds modules that are linked to this program.
    pub fn modules(mut self, set: ModuleSet) -> Self {
        self.linked.push(set);
        self
    }

    /// Adds the libraries of a directory. Of several ones, each.
    ///
    /// # Errors
    /// When the directory cannot be listed. What is wrong with a library in it is told at the start.
    pub fn directory(mut self, folder: &Path) -> Result<Self, HostFault> {
        let found = Directory::read(folder)?;
        self.folders.push(folder.into());
        Ok(self.add(found))
    }

    /// Adds libraries. What is wrong with one of them is told at the start.
    pub fn libraries(self, paths: &[PathBuf]) -> Self {
        self.add(Directory::of_files(paths))
    }

    fn add(mut self, found: Directory) -> Self {
        // Whoever is told a path may stand elsewhere.
        self.directory.modules.extend(found.modules.into_iter().map(|mut found| {
            found.path = std::fs::canonicalize(&found.path).unwrap_or(found.path);
            found
        }));
        self.directory.faults.extend(found.faults);
        self
    }

    /// Takes a configuration.
    pub fn configuration(mut self, configuration: Configuration) -> Self {
        self.configuration = configuration;
        self
    }

    /// Keeps what modules write to the log, for whoever asks. The program installs the book as its logger.
    pub fn log(mut self, book: &'static LogBook) -> Self {
        self.log = Some(book);
        self
    }

    /// Counts what each module hears, for [`ModuleView`](crate::ModuleView) and [`StatsView`](crate::StatsView): a publication costs some nanoseconds more.
    pub fn statistics(mut self) -> Self {
        self.statistics = true;
        self
    }

    /// Says more of the runtime that is made.
    pub fn runtime(mut self, more: impl FnOnce(Builder) -> Builder + 'static) -> Self {
        let before = self.more;
        self.more = Box::new(move |builder| more(before(builder)));
        self
    }

    /// How many libraries there are.
    pub fn count(&self) -> usize {
        self.directory.modules.len() + self.directory.faults.len()
    }

    /// Loads the libraries in the order of their needs, builds the runtime and starts it. Those that are lazy and that
    /// nobody needs are left for later.
    ///
    /// # Errors
    /// What stands in the way, all of it where several things do. Nothing runs then.
    pub fn start(mut self) -> Result<Host, HostFault> {
        // Modules in processes stand elsewhere.
        if let Some(root) = &mut self.configuration.data_dir
            && let Ok(absolute) = std::path::absolute(&*root)
        {
            *root = absolute.to_string_lossy().into_owned();
        }
        let placings = Placings {
            command: self.configuration.command.clone(),
            data_dir: self.configuration.data_dir.as_ref().map(PathBuf::from),
            modules: self.configuration.placed.clone(),
        };
        let loader = Loader::new().map_err(HostFault::Folder)?.with_placings(placings);
        let loader = loader.with_trust(self.configuration.trust.clone());
        let linked: Vec<&'static Descriptor> =
            self.linked.iter().flat_map(|set| set.descriptors().iter().copied()).collect();
        let infos: Vec<ModuleInfo> = linked.iter().map(|descriptor| descriptor.info).collect();
        let (now, lazy) = Self::split(&self.directory.modules, &self.configuration, &infos);
        let began = Instant::now();
        let joins = self.configuration.placed.iter().filter(|(_, placing)| placing.joins);
        let joins = joins.map(|(name, _)| -> &'static str { String::leak(name.clone()) });
        let later = lazy.iter().map(|found| found.info.name).chain(joins).collect();
        let configured = Arc::new(Configured::new(self.configuration, later));
        for found in &self.directory.modules {
            configured.note(
                found.info.name,
                found.manifest.as_ref().map_or_else(Vec::new, |manifest| manifest.config.clone()),
            );
        }
        let configuration = configured.first();
        let mut set = Directory { modules: now, faults: self.directory.faults };
        let checked = set.check(&infos, &Shown(configured.clone()));
        let mut faults = checked.all_faults();
        // With a library that cannot be read it is not known whose names there are.
        if set.faults.is_empty() {
            faults.extend(check::names(configuration, &self.directory.modules, &infos));
        }
        if !faults.is_empty() {
            return Err(HostFault::Set { faults: faults.join("\n") });
        }
        let place = |found: &Found| checked.order.iter().position(|info| info.name == found.info.name);
        set.modules.sort_by_key(place);

        let claim = configuration.data_dir.as_deref().map(|root| Claim::of(Path::new(root))).transpose()?;
        let mut builder = Runtime::builder().clock(SystemClock);
        for linked in self.linked {
            builder = builder.modules(linked);
        }
        if let Some(root) = &configuration.data_dir {
            builder = builder.data_dir(root.clone());
        }
        let keep = Arc::new(Keep::new(configuration.state_dir.clone()));
        let names: Vec<&str> = checked.order.iter().map(|info| info.name).collect();
        builder = keep.read(&names)?.into_iter().fold(builder, Builder::state);
        if configuration.state_dir.is_some() {
            let keep = keep.clone();
            builder = builder.on_saved(move |state| keep.write(&state));
        }
        builder = builder.supervision(configuration.supervision);
        if self.statistics {
            builder = builder.statistics();
        }
        let mut libraries = BTreeMap::new();
        for found in &set.modules {
            let library = Library::open(&found.path)?;
            let loaded = loader.load_library(&library)?;
            builder = builder.add_descriptor(loaded.descriptor);
            libraries.insert(found.info.name.to_string(), vec![InLibrary::new(library, loaded)]);
        }
        let host: Arc<Mutex<Weak<Shared>>> = Arc::default();
        let shared_by_hook = host.clone();
        let on_missing = move |name: &str| {
            let shared = locked(&shared_by_hook).upgrade();
            shared.map_or(Missing::Nobody, |shared| shared.load_lazily(name))
        };
        let builder = (self.more)(builder.config(Shown(configured.clone())).on_missing(on_missing));
        let runtime = builder.build()?;
        let shared = Arc::new(Shared {
            runtime,
            configured,
            loader,
            libraries: Mutex::new(libraries),
            lazy: Lazy::new(lazy),
            folders: self.folders,
            keep,
            changing: Changing::default(),
            log: self.log,
            rates: Mutex::default(),
            ended: AtomicBool::new(false),
            hurried: AtomicBool::new(false),
            went_down: AtomicBool::new(false),
        });
        *locked(&host) = Arc::downgrade(&shared);
        // So many of modules' requests to be reloaded may wait.
        let (asks, asked) = sync_channel(64);
        shared.answer_modules(asks)?;
        shared.runtime.start()?;
        let _ = shared.runtime.publish_sticky(&shared.configured.told());
        let modules = shared.names().len() as u32;
        shared.tell(&NodeStartupCompleted { modules, took_ms: began.elapsed().as_millis() as u64 });
        let (polls, ticks, keeps) = (shared.clone(), shared.clone(), shared.clone());
        let mut host = Host { shared, threads: Vec::new(), door: Mutex::default(), _claim: claim };
        let thread = |name: &str| std::thread::Builder::new().name(name.into());
        let poll = thread("helix-poll").spawn(move || polls.poll(&asked)).map_err(HostFault::Folder)?;
        host.threads.push(poll);
        host.threads.push(thread("helix-tick").spawn(move || ticks.tick_on()).map_err(HostFault::Folder)?);
        host.threads.push(thread("helix-upkeep").spawn(move || keeps.keep_up()).map_err(HostFault::Folder)?);
        *locked(&host.door) = host.shared.let_programs_join()?;
        Ok(host)
    }

    /// The libraries that are loaded now, and those that wait: they are lazy, and nobody who is loaded needs them.
    fn split(modules: &[Found], configuration: &Configuration, linked: &[ModuleInfo]) -> (Vec<Found>, Vec<Found>) {
        let is_lazy = |found: &Found| configuration.lazy.contains(found.info.name);
        let (mut lazy, mut now): (Vec<_>, Vec<_>) = modules.iter().cloned().partition(is_lazy);
        loop {
            let needed = |found: &Found| {
                let others = linked.iter().chain(now.iter().map(|other: &Found| &other.info));
                let mut needs = others.flat_map(|info| info.dependencies.iter()).filter(|needed| !needed.optional);
                needs.any(|needed| needed.name == found.info.name || found.info.provides.contains(&needed.name))
            };
            let Some(at) = lazy.iter().position(needed) else { return (now, lazy) };
            now.push(lazy.remove(at));
        }
    }
}
