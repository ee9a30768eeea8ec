//! A host: a runtime, the libraries that are loaded into it, and the thread that polls it.

mod book;
mod change;
mod fault;
mod keep;
mod lazy;
mod steer;
mod view;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use helix_runtime::{
    Builder, Clock, Config, Descriptor, Missing, ModuleInfo, ModuleSet, Request, Response, Runtime, SystemClock, Tick,
};

use crate::config::Configuration;
use crate::directory::{Directory, Found, HOST};
use crate::load::{Loaded, Loader};

use change::Changing;
use lazy::Lazy;

pub use book::{Line, LogBook};
pub use fault::HostFault;
pub use keep::KeepFault;
pub use steer::{Reloaded, Step};
pub use view::{GraphView, HealthView, InfoView, ListenerView, ModuleView, NeedView, StatsView, WhyView};

/// A runtime with modules in libraries, which can be loaded, replaced and taken away while it runs.
///
/// ```no_run
/// use helix_host::Host;
///
/// let host = Host::builder().directory("modules".as_ref())?.start()?;
/// let reply: u64 = host.runtime().call::<(), u64>("counter.count", ())?;
/// host.reload("counter", None)?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct Host {
    shared: Arc<Shared>,
    poller: Option<JoinHandle<()>>,
}

/// What the host's threads share.
struct Shared {
    runtime: Runtime,
    loader: Loader,
    /// By module, each build that was loaded, the last one last.
    libraries: Mutex<BTreeMap<String, Vec<InLibrary>>>,
    lazy: Lazy,
    /// The directories whose libraries are named when somebody is missed.
    folders: Vec<PathBuf>,
    ticks_a_second: Option<u16>,
    /// Where the modules' states are kept.
    state_dir: Option<PathBuf>,
    changing: Changing,
    log: Option<&'static LogBook>,
    rates: Mutex<Rates>,
    ended: AtomicBool,
}

impl std::fmt::Debug for Shared {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.runtime.fmt(f)
    }
}

/// A module that came in a library.
#[derive(Debug, Clone)]
struct InLibrary {
    path: PathBuf,
    loaded: Loaded,
}

/// How many events each module hears a second.
#[derive(Debug, Default)]
struct Rates {
    since: Option<Instant>,
    calls: BTreeMap<&'static str, usize>,
    a_second: BTreeMap<&'static str, u64>,
}

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

/// The configuration, of which the runtime is told no keys of modules that may come later.
struct Known {
    configuration: Configuration,
    later: Vec<&'static str>,
}

impl Config for Known {
    fn value(&self, module: &str, key: &str) -> Option<&str> {
        self.configuration.modules.value(module, key)
    }

    fn keys(&self) -> Vec<(&str, &str)> {
        let mut keys = self.configuration.modules.keys();
        keys.retain(|(module, _)| !self.later.contains(module));
        keys
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

    /// Counts what each module hears, for [`ModuleView`] and [`StatsView`]: a publication costs some nanoseconds more.
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
    pub fn start(self) -> Result<Host, HostFault> {
        let loader = Loader::new().map_err(HostFault::Folder)?;
        let linked: Vec<&'static Descriptor> =
            self.linked.iter().flat_map(|set| set.descriptors().iter().copied()).collect();
        let infos: Vec<ModuleInfo> = linked.iter().map(|descriptor| descriptor.info).collect();
        let (now, lazy) = Self::split(&self.directory.modules, &self.configuration, &infos);
        let known =
            Known { configuration: self.configuration, later: lazy.iter().map(|found| found.info.name).collect() };
        let mut set = Directory { modules: now, faults: self.directory.faults };
        let checked = set.check(&infos, &known);
        let mut faults = checked.all_faults();
        let known_lazy = |name: &&String| !self.directory.modules.iter().any(|found| found.info.name == **name);
        for name in known.configuration.lazy.iter().filter(known_lazy) {
            faults.push(format!("host.lazy: found `{name}`, expected the name of a module in one of the libraries"));
        }
        if !faults.is_empty() {
            return Err(HostFault::Set { faults: faults.join("\n") });
        }
        let place = |found: &Found| checked.order.iter().position(|info| info.name == found.info.name);
        set.modules.sort_by_key(place);

        let mut builder = Runtime::builder().clock(SystemClock);
        for linked in self.linked {
            builder = builder.modules(linked);
        }
        if let Some(root) = &known.configuration.data_dir {
            builder = builder.data_dir(root.clone());
        }
        let ticks_a_second = known.configuration.ticks_a_second;
        let state_dir = known.configuration.state_dir.clone();
        if let Some(folder) = &state_dir {
            let names: Vec<&str> = checked.order.iter().map(|info| info.name).collect();
            builder = keep::read(folder, &names)?.into_iter().fold(builder, Builder::state);
        }
        if self.statistics {
            builder = builder.statistics();
        }
        let mut libraries = BTreeMap::new();
        for found in &set.modules {
            let loaded = loader.load(&found.path)?;
            builder = builder.add_descriptor(loaded.descriptor);
            libraries.insert(found.info.name.to_string(), vec![InLibrary { path: found.path.clone(), loaded }]);
        }
        let host: Arc<Mutex<Weak<Shared>>> = Arc::default();
        let shared_by_hook = host.clone();
        let on_missing = move |name: &str| {
            let shared = locked(&shared_by_hook).upgrade();
            shared.map_or(Missing::Nobody, |shared| shared.load_lazily(name))
        };
        let builder = (self.more)(builder.config(known).on_missing(on_missing));
        let runtime = builder.build()?;
        let shared = Arc::new(Shared {
            runtime,
            loader,
            libraries: Mutex::new(libraries),
            lazy: Lazy::new(lazy),
            folders: self.folders,
            ticks_a_second,
            state_dir,
            changing: Changing::default(),
            log: self.log,
            rates: Mutex::default(),
            ended: AtomicBool::new(false),
        });
        *locked(&host) = Arc::downgrade(&shared);
        let (asks, asked) = channel();
        shared.answer_modules(asks)?;
        shared.runtime.start()?;
        let polls = shared.clone();
        let poller = std::thread::Builder::new().name("helix-poll".into());
        let poller = poller.spawn(move || polls.poll(&asked)).map_err(HostFault::Folder)?;
        Ok(Host { shared, poller: Some(poller) })
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

impl Host {
    /// Gathers what a host is made of.
    pub fn builder() -> HostBuilder {
        HostBuilder {
            linked: Vec::new(),
            directory: Directory::default(),
            folders: Vec::new(),
            configuration: Configuration::default(),
            log: None,
            statistics: false,
            more: Box::new(|builder| builder),
        }
    }

    /// The runtime, to publish to and to call.
    pub fn runtime(&self) -> &Runtime {
        &self.shared.runtime
    }

    /// The log that is kept, if one is.
    pub fn log(&self) -> Option<&'static LogBook> {
        self.shared.log
    }

    /// Keeps the modules' states where the configuration says so, stops every module and ends.
    ///
    /// # Errors
    /// The first module's failure to stop; the others are stopped all the same.
    pub fn stop(mut self) -> Result<(), HostFault> {
        self.end();
        self.shut_down()
    }

    /// The same for a host that others still look at: what they ask of its modules is answered that these do not run.
    ///
    /// # Errors
    /// As above.
    pub fn shut_down(&self) -> Result<(), HostFault> {
        self.shared.ended.store(true, Ordering::Release);
        let kept = self.shared.state_dir.as_ref().map(|folder| keep::write(folder, &self.shared.runtime));
        self.shared.runtime.stop()?;
        Ok(kept.unwrap_or(Ok(()))?)
    }

    fn end(&mut self) {
        self.shared.ended.store(true, Ordering::Release);
        if let Some(poller) = self.poller.take() {
            poller.thread().unpark();
            // What panicked in it was told where it did.
            drop(poller.join());
        }
    }
}

impl Drop for Host {
    fn drop(&mut self) {
        self.end();
    }
}

/// What a module has asked for itself or another.
struct Ask {
    module: String,
}

/// The number under which the host answers modules.
const NUMBER: u64 = u64::MAX;

impl Shared {
    /// Lets modules ask the host under the name `helix`: `ctx.call::<(&str,), ()>("helix.reload", ("counter",))`.
    ///
    /// What is asked for is done by the host's own thread, once the caller's chain has returned.
    fn answer_modules(&self, asks: Sender<Ask>) -> Result<(), HostFault> {
        let asks = Mutex::new(asks);
        let answer = move |request: &Request| match request.request_type.as_str() {
            "reload" => match postcard::from_bytes::<(String,)>(&request.payload) {
                Ok((module,)) => match locked(&asks).send(Ask { module }) {
                    Ok(()) => Response::ok_empty(),
                    Err(_) => Response::rejected("the host is ending"),
                },
                Err(_) => Response::err("found an argument that is none, expected the name of a module"),
            },
            _ => Response::not_supported(),
        };
        Ok(self.runtime.router().register(NUMBER, HOST, Box::new(answer))?)
    }

    /// Does what waits to be done, until the host ends.
    fn poll(&self, asked: &Receiver<Ask>) {
        let mut ticked = 0;
        while !self.ended.load(Ordering::Acquire) {
            self.tick(&mut ticked);
            // A clock, a logger or a configuration of the program's may panic; the next round is another one.
            let round = std::panic::AssertUnwindSafe(|| {
                self.runtime.poll(SystemClock.now());
                self.sample();
            });
            if std::panic::catch_unwind(round).is_err() {
                log::error!(target: "helix", "polling has panicked; it goes on");
            }
            while let Ok(Ask { module }) = asked.try_recv() {
                match self.reload(&module, None) {
                    Ok(reloaded) => {
                        log::info!(target: "helix", "{module} has asked to be reloaded: {}", reloaded.summary())
                    }
                    Err(fault) => log::error!(target: "helix", "{module} has asked to be reloaded: {fault}"),
                }
            }
            std::thread::park_timeout(POLL_INTERVAL);
        }
    }

    /// Publishes the ticks that are due; those that are late are one.
    fn tick(&self, ticked: &mut u64) {
        let Some(rate) = self.ticks_a_second.filter(|rate| *rate > 0) else { return };
        let now = SystemClock.now();
        let due = (now.as_secs_f64() * f64::from(rate)) as u64;
        if due > *ticked {
            *ticked = due;
            let heard = self.runtime.publish(&Tick { timestamp_ns: now.as_nanos() as u64, tick_number: due });
            if let Some((module, error)) = heard.first_error {
                log::debug!(target: module, "tick: {error}");
            }
        }
    }

    /// Takes down once a second how often each module has heard something.
    fn sample(&self) {
        let mut rates = locked(&self.rates);
        let elapsed = rates.since.map_or(Duration::ZERO, |since| since.elapsed());
        if rates.since.is_some() && elapsed < Duration::from_secs(1) {
            return;
        }
        let mut calls: BTreeMap<&'static str, usize> = BTreeMap::new();
        for listener in self.runtime.bus().stats().listeners {
            *calls.entry(listener.name).or_default() += listener.calls;
        }
        if rates.since.is_some() {
            let before = rates.calls.clone();
            let a_second = |(name, calls): (&&'static str, &usize)| {
                let calls = calls.saturating_sub(before.get(name).copied().unwrap_or(0));
                (*name, (calls as f64 / elapsed.as_secs_f64()).round() as u64)
            };
            rates.a_second = calls.iter().map(a_second).collect();
        }
        rates.since = Some(Instant::now());
        rates.calls = calls;
    }
}

const POLL_INTERVAL: Duration = Duration::from_millis(2);

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
