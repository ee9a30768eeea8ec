//! A host: a runtime, the libraries that are loaded into it, and the thread that polls it.

mod book;
mod builder;
mod by_name;
mod change;
mod check;
mod claim;
mod configured;
mod fault;
mod joined;
mod keep;
mod lazy;
mod poll;
mod steer;
mod upkeep;
mod view;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;

use helix_runtime::Runtime;

use crate::library::Library;
use crate::load::{Loaded, Loader};
use crate::manifest::Manifest;
use crate::process::Door;

use change::Changing;
use claim::Claim;
use configured::Configured;
use keep::Keep;
use lazy::Lazy;
use poll::Rates;

pub use book::{Line, LogBook};
pub use builder::HostBuilder;
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
    threads: Vec<JoinHandle<()>>,
    /// Where programs join, if they may.
    door: Mutex<Option<Door>>,
    _claim: Option<Claim>,
}

/// What the host's threads share.
struct Shared {
    runtime: Runtime,
    configured: Arc<Configured>,
    loader: Loader,
    /// By module, each build that was loaded, the last one last.
    libraries: Mutex<BTreeMap<String, Vec<InLibrary>>>,
    lazy: Lazy,
    /// The directories whose libraries are named when somebody is missed.
    folders: Vec<PathBuf>,
    keep: Arc<Keep>,
    changing: Changing,
    log: Option<&'static LogBook>,
    rates: Mutex<Rates>,
    ended: AtomicBool,
    /// Whether those who are inside its modules were told that it ends.
    hurried: AtomicBool,
    /// Whether its modules were.
    went_down: AtomicBool,
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
    manifest: Option<Manifest>,
    loaded: Loaded,
}

impl InLibrary {
    fn new(library: Library, loaded: Loaded) -> Self {
        Self { path: library.path, manifest: library.manifest, loaded }
    }
}

impl Host {
    /// Gathers what a host is made of.
    pub fn builder() -> HostBuilder {
        HostBuilder::default()
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
        // One of the host's threads may be inside, or wait.
        self.shared.hurry();
        self.end();
        self.shut_down()
    }

    /// The same for a host that others still look at: what they ask of its modules is answered that these do not run.
    ///
    /// # Errors
    /// As above.
    pub fn shut_down(&self) -> Result<(), HostFault> {
        self.shared.ended.store(true, Ordering::Release);
        drop(locked(&self.door).take());
        self.shared.go_down()
    }

    fn end(&mut self) {
        self.shared.ended.store(true, Ordering::Release);
        for thread in self.threads.drain(..) {
            thread.thread().unpark();
            // What panicked in it was told where it did.
            drop(thread.join());
        }
    }
}

impl Drop for Host {
    fn drop(&mut self) {
        self.end();
    }
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
