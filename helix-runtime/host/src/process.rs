//! Modules in processes of their own: the same library, loaded by the `helix` command in a child of the host's.

mod child;
mod control;
mod frame;
mod join;
mod link;
mod meter;
mod permits;
mod sandbox;
mod usage;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;

use helix_runtime::boundary::{self, Asks, Process, Spawn, TableFault};
use helix_runtime::{Descriptor, ModuleError, ModuleFlags, ModuleInfo};

use crate::library::Library;
use crate::load::{LoadFault, Loader, file_name};
use crate::manifest::Manifest;

pub use child::serve;
#[doc(hidden)]
pub use join::link_fuzz;
pub(crate) use join::{Door, Joined};
pub use meter::LinkView;
pub(crate) use permits::covers;
pub use permits::{Denial, PermitView};
pub use sandbox::Sandbox;
pub(crate) use usage::Usage;

use control::Begin;
use link::{Link, Order};
use meter::Meter;
use permits::Permits;
use serde::{Deserialize, Serialize};

/// The hidden verb of the `helix` command that serves a module to its host.
pub const VERB: &str = "serve-module";

/// Makes the processes of one library. All of them have the same table of handlers.
#[derive(Debug)]
pub(crate) struct Processes {
    order: Order,
    table: Vec<u8>,
    /// The one that has told the table, until an instance takes it.
    first: Mutex<Option<Arc<Link>>>,
    /// The one that was made last.
    last: Mutex<Weak<Link>>,
}

/// A process that serves a module.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProcessView {
    /// Its number.
    pub pid: u32,
    /// What of its sandbox is in force.
    pub sandbox: Vec<String>,
    /// How long it may be silent in a conversation, in milliseconds.
    pub deadline_ms: u64,
    /// How many events wait for it at most.
    pub queue: u64,
}

impl ProcessView {
    /// What of a sandbox it does without.
    pub fn missing(&self) -> impl Iterator<Item = &str> {
        let none = self.sandbox.is_empty().then_some(NO_SANDBOX);
        let known = [NO_SANDBOX, "no no_new_privs", "no dropped capabilities", "no landlock", "no seccomp"];
        none.into_iter().chain(known.into_iter().filter(|missing| self.sandbox.iter().any(|is| is == missing)))
    }
}

/// What stands in the place of a sandbox where there is none.
const NO_SANDBOX: &str = "no sandbox";

impl Processes {
    /// The process that was made last, if anybody has it.
    fn last(&self) -> Option<Arc<Link>> {
        self.last.lock().unwrap_or_else(PoisonError::into_inner).upgrade()
    }

    /// The process that serves the module, if one does.
    pub(crate) fn view(&self) -> Option<ProcessView> {
        let link = self.last()?;
        link.is_there().then(|| ProcessView {
            pid: link.pid(),
            sandbox: link.sandbox(),
            deadline_ms: link.deadline().as_millis() as u64,
            queue: self.order.queue as u64,
        })
    }

    /// What they may do, and what they have done of it.
    pub(crate) fn permits(&self) -> PermitView {
        self.order.permits.view()
    }

    /// What went over their links.
    pub(crate) fn link(&self) -> LinkView {
        let link = self.last();
        LinkView {
            waiting: link.as_ref().map_or(0, |link| link.waiting() as u64),
            memory: link.filter(|link| link.is_there()).and_then(|link| usage::memory(link.pid())),
            ..self.order.meter.view(self.order.module)
        }
    }

    /// What the process uses of what it may.
    pub(crate) fn usage(&self) -> Vec<Usage> {
        let used = self.view().zip(self.order.made.as_ref());
        used.map_or_else(Vec::new, |(view, (_, begin))| usage::of(view.pid, &begin.sandbox))
    }

    /// A process that nobody has taken yet is ended.
    fn let_go(&self) {
        drop(self.first.lock().unwrap_or_else(PoisonError::into_inner).take());
    }
}

impl Spawn for Processes {
    fn spawn(&self, asks: Weak<dyn Asks>) -> Result<Arc<dyn Process>, ModuleError> {
        let first = self.first.lock().unwrap_or_else(PoisonError::into_inner).take();
        let link = match first {
            Some(link) => link,
            None => {
                let (link, table) = Link::spawn(&self.order)?;
                if table != self.table {
                    return Err(ModuleError::new("the process has told another table of handlers than the first one"));
                }
                link
            }
        };
        link.answered_by(asks, self.order.queue)?;
        *self.last.lock().unwrap_or_else(PoisonError::into_inner) = Arc::downgrade(&link);
        Ok(link)
    }

    fn comes_by_itself(&self) -> bool {
        self.order.made.is_none()
    }

    fn queue(&self) -> usize {
        self.order.queue
    }
}

/// Whether a module has a process of its own.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Isolation {
    /// If its flags say that it is a user's program: `USERSPACE`.
    #[default]
    ByFlags,
    /// It has none, whatever its flags say.
    None,
    /// It has one.
    Process,
}

/// How a module is placed.
#[derive(Debug, Clone)]
pub struct Placing {
    /// Whether it has a process of its own.
    pub isolation: Isolation,
    /// How long it may be silent in a conversation, before its process is ended.
    pub deadline: Duration,
    /// How many events wait for it at most, so that nobody waits who publishes them; if 0, they are delivered at once.
    pub queue: usize,
    /// Whether it is a program that joins by itself, with the token in its directory.
    pub joins: bool,
    /// What its process may use.
    pub sandbox: Sandbox,
    /// What it is granted of what it asks for: permissions, each with all that are parts of it. Everything if none.
    pub grant: Option<Vec<String>>,
    /// The keys with which a configuration has said so, besides `isolation`.
    pub said: Vec<String>,
}

impl Default for Placing {
    /// By its flags; ten seconds; events are delivered at once.
    fn default() -> Self {
        Self {
            isolation: Isolation::ByFlags,
            deadline: Duration::from_secs(10),
            queue: 0,
            joins: false,
            sandbox: Sandbox::default(),
            grant: None,
            said: Vec::new(),
        }
    }
}

/// How the modules of a loader are placed.
#[derive(Debug, Clone, Default)]
pub struct Placings {
    /// The `helix` command; the one beside the program, or on its path, if none.
    pub command: Option<PathBuf>,
    /// The directory in which each module finds one of its own.
    pub data_dir: Option<PathBuf>,
    /// Those that are placed otherwise than by default.
    pub modules: BTreeMap<String, Placing>,
}

impl Placings {
    /// How a module is placed, if in a process of its own.
    pub(crate) fn of(&self, info: &ModuleInfo, manifest: Option<&Manifest>) -> Option<Placing> {
        let mut placing = self.modules.get(info.name).cloned().unwrap_or_default();
        if let Some(manifest) = manifest {
            manifest.hold(&mut placing);
        }
        let is_isolated = match placing.isolation {
            Isolation::ByFlags => info.flags.contains(ModuleFlags::USERSPACE),
            Isolation::None => false,
            Isolation::Process => true,
        };
        placing.sandbox.data_dir = self.data_dir_of(info);
        is_isolated.then_some(placing)
    }

    /// The directory that is a module's own.
    pub fn data_dir_of(&self, info: &ModuleInfo) -> Option<PathBuf> {
        self.data_dir.as_ref().map(|root| root.join(file_name(info.name)))
    }

    fn command(&self) -> Result<PathBuf, String> {
        if let Some(command) = &self.command {
            return Ok(command.clone());
        }
        let own = std::env::current_exe().ok();
        let beside = own.iter().flat_map(|own| own.parent()).map(|folder| folder.join(COMMAND));
        let path = std::env::var_os("PATH").unwrap_or_default();
        let on_path = std::env::split_paths(&path).map(|folder| folder.join(COMMAND));
        let own = own.iter().filter(|own| own.file_name().is_some_and(|name| name == COMMAND)).cloned();
        own.chain(beside).chain(on_path).find(|path| path.is_file()).ok_or_else(|| {
            "found no `helix` command beside the program or on its path, expected one, which serves modules in processes \
             of their own; name it by `command` in the table [host]"
                .into()
        })
    }
}

const COMMAND: &str = "helix";

/// Makes the directory of a module, if it is not there.
fn make_own(folder: &Path) -> Result<(), String> {
    let failed = |error: std::io::Error| format!("its directory {}: {error}", folder.display());
    fs::create_dir_all(folder).map_err(failed)?;
    let found = fs::symlink_metadata(folder).map_err(failed)?;
    if found.is_dir() {
        Ok(())
    } else {
        Err(format!("its directory {}: found a link, expected a directory", folder.display()))
    }
}

impl Loader {
    /// Those of all descriptors, also of what was replaced or refused.
    pub(crate) fn processes(&self) -> Vec<(&'static Descriptor, Arc<Processes>)> {
        self.processes.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The module of a descriptor does not run: a process that was made for it and that nobody has taken is ended.
    pub(crate) fn let_go(&self, descriptor: &'static Descriptor) {
        let all = self.processes();
        all.iter().filter(|(known, _)| core::ptr::eq(*known, descriptor)).for_each(|(_, processes)| processes.let_go());
    }

    /// The processes that are there, whatever they are for.
    fn living(&self) -> impl Iterator<Item = (Arc<Processes>, Arc<Link>)> {
        let all = self.processes().into_iter();
        all.filter_map(|(_, processes)| processes.last().map(|link| (processes, link)))
    }

    /// Gives each process so long in a conversation at most, from here on.
    pub(crate) fn hurry(&self, deadline: Duration) {
        self.living().for_each(|(_, link)| link.hurry(deadline));
    }

    /// Waits until each process has heard the events that wait for it now, but no longer than that. How many have not.
    pub(crate) fn settle(&self, time: Duration) -> u32 {
        let until = std::time::Instant::now() + time;
        let queued = self.living().filter(|(processes, _)| processes.order.queue > 0);
        queued.filter(|(_, link)| !link.settle(until)).count() as u32
    }

    /// Accepts a library, and has a process of its own serve it: each instance of the module has one.
    pub(crate) fn load_in_process(
        &self,
        library: &Library,
        info: ModuleInfo,
        placing: &Placing,
    ) -> Result<&'static Descriptor, LoadFault> {
        let program = self.placings.command().map_err(|reason| fault(library, reason))?;
        placing.sandbox.data_dir.as_deref().map_or(Ok(()), make_own).map_err(|reason| fault(library, reason))?;
        let path = self.accepted(library)?;
        let copy = path.clone();
        let permits = Arc::new(Permits::new(info.name, info.permissions, placing.grant.as_deref()));
        let had: Vec<&'static str> = info.permissions.iter().copied().filter(|asked| permits.has(asked)).collect();
        let info = ModuleInfo { permissions: had.leak(), ..info };
        let begin = Begin {
            host: std::process::id(),
            library: path,
            build: library.build.to_string(),
            sandbox: placing.sandbox.clone(),
            log: log::max_level() as usize,
        };
        let order = Order {
            module: info.name,
            made: Some((program, begin)),
            deadline: placing.deadline,
            queue: placing.queue,
            meter: Arc::new(Meter::default()),
            permits,
        };
        let made = Link::spawn(&order).map_err(|error| error.to_string());
        let served = made.and_then(|made| self.serve_by(info, order, made).map_err(|error| error.to_string()));
        // Nobody loads what was refused; what is left of it goes with the folder otherwise.
        served.inspect_err(|_| drop(fs::remove_file(&copy))).map_err(|reason| fault(library, reason))
    }

    /// The descriptor of a program that has joined.
    pub(crate) fn take_in(&self, joined: Joined) -> Result<&'static Descriptor, TableFault> {
        self.serve_by(joined.info, joined.order, joined.made)
    }

    /// The descriptor of a module whose first process was made.
    fn serve_by(
        &self,
        info: ModuleInfo,
        order: Order,
        (link, table): (Arc<Link>, Vec<u8>),
    ) -> Result<&'static Descriptor, TableFault> {
        let (first, last) = (Mutex::new(Some(link)), Mutex::default());
        let processes = Arc::new(Processes { order, table: table.clone(), first, last });
        let descriptor = boundary::descriptor(info, &table, processes.clone())?;
        self.processes.lock().unwrap_or_else(PoisonError::into_inner).push((descriptor, processes));
        Ok(descriptor)
    }
}

fn fault(library: &Library, reason: String) -> LoadFault {
    LoadFault::Process { path: library.path.clone(), reason }
}
