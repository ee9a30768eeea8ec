//! Modules that are loaded when they are first asked for.

use std::sync::{Condvar, Mutex, PoisonError};
use std::thread::ThreadId;
use std::time::Duration;

use helix_runtime::{Missing, ModuleError};

use super::{HostFault, Shared, locked};
use crate::directory::Found;
use crate::library::Library;

/// The modules that wait.
#[derive(Debug, Default)]
pub(super) struct Lazy {
    waiting: Mutex<Vec<Waiting>>,
    changed: Condvar,
}

#[derive(Debug)]
struct Waiting {
    found: Found,
    /// The thread that loads it, if one does.
    by: Option<ThreadId>,
}

/// How long whoever asks for a module waits while another thread loads it.
const PATIENCE: Duration = Duration::from_secs(10);

impl Lazy {
    pub(super) fn new(modules: Vec<Found>) -> Self {
        let waiting = modules.into_iter().map(|found| Waiting { found, by: None }).collect();
        Self { waiting: Mutex::new(waiting), changed: Condvar::new() }
    }

    /// Those that nobody has asked for yet.
    pub(super) fn waiting(&self) -> Vec<Found> {
        locked(&self.waiting).iter().map(|waits| waits.found.clone()).collect()
    }
}

/// Which of them is called so, or else provides such a service.
fn position(waiting: &[Waiting], name: &str) -> Option<usize> {
    let called = waiting.iter().position(|waits| waits.found.info.name == name);
    called.or_else(|| waiting.iter().position(|waits| waits.found.info.provides.contains(&name)))
}

impl Shared {
    /// Loads the module that somebody has asked for, with those that it needs.
    pub(super) fn load_lazily(&self, name: &str) -> Missing {
        let own = std::thread::current().id();
        let mut waiting = locked(&self.lazy.waiting);
        let Some(at) = position(&waiting, name) else {
            let joins = self.configured.first().placed.get(name).is_some_and(|placing| placing.joins);
            return if joins { Missing::Waits } else { Missing::Nobody };
        };
        let module = waiting[at].found.info.name;
        match waiting[at].by {
            // It asks for itself while it starts.
            Some(by) if by == own => return Missing::Waits,
            Some(_) => {
                let is_loading = |waiting: &mut Vec<Waiting>| {
                    waiting.iter().any(|waits| waits.found.info.name == module && waits.by.is_some())
                };
                let (waiting, _) = self
                    .lazy
                    .changed
                    .wait_timeout_while(waiting, PATIENCE, is_loading)
                    .unwrap_or_else(PoisonError::into_inner);
                drop(waiting);
                return if self.runtime.module_id(module).is_ok() { Missing::Added } else { Missing::Waits };
            }
            None => {}
        }
        waiting[at].by = Some(own);
        let found = waiting[at].found.clone();
        drop(waiting);
        let added = self.add_found(&found);
        let mut waiting = locked(&self.lazy.waiting);
        if let Some(at) = waiting.iter().position(|waits| waits.found.info.name == module) {
            waiting[at].by = None;
            if added.is_ok() {
                waiting.remove(at);
            }
        }
        drop(waiting);
        self.lazy.changed.notify_all();
        match added {
            Ok(()) => Missing::Added,
            Err(fault) => {
                log::error!(target: "helix", "`{name}` was asked for, and {module} could not be loaded: {fault}");
                if is_moving(&fault) { Missing::Waits } else { Missing::Nobody }
            }
        }
    }

    fn add_found(&self, found: &Found) -> Result<(), HostFault> {
        for needed in found.info.dependencies.iter().filter(|needed| !needed.optional) {
            self.load_lazily(needed.name);
        }
        self.add(Library::open(&found.path)?)
    }
}

fn is_moving(fault: &HostFault) -> bool {
    matches!(fault, HostFault::Lifecycle(error) if matches!(error.error, ModuleError::Moving { .. }))
}
