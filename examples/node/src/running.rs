//! A node that runs: its configuration in a folder of its own, the listeners, and the host with its modules.

use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use helix_host::{BuildFailure, Cancel, Cargo, ConfigFault, Configuration, Host, HostFault, LogBook};
use helix_runtime::{IpcError, modules};
use node_contracts::Report;
use tempfile::TempDir;

use crate::api::Node;
use crate::config::{NodeConfig, PLACE};
use crate::webhook::Webhook;

/// The crates of the modules, which are their names as well.
pub const MODULES: [&str; 4] = ["governance", "mesh", "lightning", "stratum-v2"];

/// Why a node does not run.
#[derive(Debug, thiserror::Error)]
pub enum Fault {
    /// A module was not built.
    #[error("{failure}{}", compiler(.failure))]
    Build {
        /// Why not.
        failure: BuildFailure,
    },
    /// The configuration is none.
    #[error(transparent)]
    Config(#[from] ConfigFault),
    /// Governance could not be pointed at a listener.
    #[error("{}: found no `{PLACE}`, expected one, as in `webhook_url = \"http://{PLACE}/\"`", .0.display())]
    NoWebhook(PathBuf),
    /// A file could not be read or written, or no port be had.
    #[error("{what}: {error}")]
    Io {
        /// Which.
        what: String,
        /// What the system says.
        error: io::Error,
    },
    /// The host or a module of it.
    #[error(transparent)]
    Host(#[from] HostFault),
}

/// What the compiler has said, on lines of its own.
fn compiler(failure: &BuildFailure) -> String {
    match failure {
        BuildFailure::Compiler { rendered, .. } => format!("\n{}", rendered.trim_end()),
        _ => String::new(),
    }
}

pub(crate) fn io_fault(what: impl Into<String>) -> impl FnOnce(io::Error) -> Fault {
    let what = what.into();
    move |error| Fault::Io { what, error }
}

/// Builds the modules' libraries. `said` is given each one's name and how long it took.
///
/// # Errors
/// When one of them does not compile, with what the compiler says.
pub fn build(folder: &Path, cargo: &Cargo, mut said: impl FnMut(&str, Duration)) -> Result<Vec<PathBuf>, Fault> {
    let build = |name: &str| {
        let module = cargo.find(&folder.join(name))?;
        let built = cargo.build(&module, &Cancel::default(), &mut |_| {})?;
        said(name, built.cargo);
        Ok(built.path)
    };
    MODULES.into_iter().map(build).collect::<Result<_, _>>().map_err(|failure| Fault::Build { failure })
}

/// A node that runs, until it is stopped or dropped.
#[derive(Debug)]
pub struct Running {
    host: Host,
    webhooks: [Webhook; 2],
    config: NodeConfig,
    folder: TempDir,
}

impl Running {
    /// Starts a node as a configuration says. `command` is the program that serves modules in processes.
    ///
    /// # Errors
    /// What stands in the way.
    pub fn start(
        config: &NodeConfig,
        libraries: &[PathBuf],
        command: &Path,
        log: Option<&'static LogBook>,
    ) -> Result<Self, Fault> {
        let folder = tempfile::Builder::new().prefix("helix-node-").tempdir().map_err(io_fault("a folder"))?;
        let open = || Webhook::open().map_err(io_fault("a listener"));
        let webhooks = [open()?, open()?];
        let file = config.write(folder.path(), webhooks[0].address())?;
        let mut configuration = Configuration::read(&file)?;
        configuration.command = Some(command.into());
        configuration.data_dir = Some(folder.path().join("data").display().to_string());
        let builder = Host::builder().modules(modules![Node]).libraries(libraries).configuration(configuration);
        let builder = log.into_iter().fold(builder, |builder, log| builder.log(log));
        Ok(Self { host: builder.start()?, webhooks, config: config.clone(), folder })
    }

    /// The host with the modules.
    pub fn host(&self) -> &Host {
        &self.host
    }

    /// The listeners: the one that governance posts to at first, and the one after [`reconfigure`](Self::reconfigure).
    pub fn webhooks(&self) -> &[Webhook; 2] {
        &self.webhooks
    }

    /// Points governance at the second listener, by its configuration's file: the host sees that it has changed.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn reconfigure(&self) -> Result<(), Fault> {
        self.config.write(self.folder.path(), self.webhooks[1].address()).map(drop)
    }

    /// The directory that is a module's own.
    pub fn data_dir(&self, module: &str) -> PathBuf {
        self.folder.path().join("data").join(module)
    }

    /// What a module has seen and done.
    ///
    /// # Errors
    /// When it does not run.
    pub fn report(&self, module: &str) -> Result<Report, IpcError> {
        self.host.runtime().call::<(), Report>(&format!("{module}.report"), ())
    }

    /// Stops the modules and then the node.
    ///
    /// # Errors
    /// The first module's failure to stop.
    pub fn stop(self) -> Result<(), Fault> {
        Ok(self.host.stop()?)
    }
}
