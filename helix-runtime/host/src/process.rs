//! Modules in processes of their own: the same library, loaded by the `helix` command in a child of the host's.

mod child;
mod control;
mod frame;
mod link;
mod sandbox;

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;

use helix_runtime::boundary::{self, Asks, Process, Spawn};
use helix_runtime::{Descriptor, ModuleError};

use crate::library::Library;
use crate::load::{LoadFault, Loader};

pub use child::serve;
pub use sandbox::Sandbox;

use control::Begin;
use link::{Link, Order};

/// The hidden verb of the `helix` command that serves a module to its host.
pub const VERB: &str = "serve-module";

/// Makes the processes of one library. All of them have the same table of handlers.
#[derive(Debug)]
struct Processes {
    order: Order,
    table: Vec<u8>,
    /// The one that has told the table, until an instance takes it.
    first: Mutex<Option<Arc<Link>>>,
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
        link.answered_by(asks);
        Ok(link)
    }
}

/// How modules are placed in processes.
#[derive(Debug, Clone)]
pub struct Placing {
    /// The program that serves them: the `helix` command.
    pub program: PathBuf,
    /// How long a module may be silent in a conversation, before its process is ended.
    pub deadline: Duration,
    /// What its process may use.
    pub sandbox: Sandbox,
}

impl Loader {
    /// Accepts a library, and has a process of its own serve it: each instance of the module has one.
    pub fn load_in_process(&self, library: &Library, placing: &Placing) -> Result<&'static Descriptor, LoadFault> {
        let path = self.accepted(library)?;
        let info = library.record.info().map_err(|error| fault(library, error.to_string()))?;
        let order = Order {
            module: info.name,
            program: placing.program.clone(),
            begin: Begin {
                host: std::process::id(),
                library: path,
                build: library.build.to_string(),
                sandbox: placing.sandbox.clone(),
            },
            deadline: placing.deadline,
        };
        let (link, table) = Link::spawn(&order).map_err(|error| fault(library, error.to_string()))?;
        let first = Mutex::new(Some(link));
        let processes = Arc::new(Processes { order, table: table.clone(), first });
        boundary::descriptor(info, &table, processes).map_err(|error| fault(library, error.to_string()))
    }
}

fn fault(library: &Library, reason: String) -> LoadFault {
    LoadFault::Process { path: library.path.clone(), reason }
}
