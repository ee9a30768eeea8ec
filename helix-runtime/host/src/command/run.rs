//! Hosts of one's own: libraries that run, and crates that are rebuilt and reloaded as they are edited.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use helix_host::control::{Bound, ControlFault, Server, default_socket};
use helix_host::{BuildFailure, Cancel, Configuration, Host, HostBuilder, HostFault, LogBook, Told, Watch};

use super::talk::{Ended, Talk, shown};
use crate::How;

/// Set by the first interrupt; the second ends the process.
static ENDED: AtomicBool = AtomicBool::new(false);

fn until_interrupted() -> Result<(), Ended> {
    ctrlc::set_handler(|| {
        if ENDED.swap(true, Ordering::AcqRel) {
            std::process::exit(130);
        }
    })
    .map_err(|error| Ended::failed(error.to_string()))
}

/// A logger that keeps the last lines, and shows those that matter.
fn book(talk: &Talk) -> &'static LogBook {
    let shown = match (talk.quiet, talk.verbose) {
        (true, _) => log::LevelFilter::Error,
        (_, true) => log::LevelFilter::Debug,
        _ => log::LevelFilter::Info,
    };
    let book = LogBook::leaked(shown);
    // Another logger would be this program's own, and there is none.
    let _ = log::set_logger(book);
    log::set_max_level(log::LevelFilter::Debug);
    book
}

fn configured(builder: HostBuilder, config: Option<&Path>) -> Result<HostBuilder, Ended> {
    let mut configuration = config.map(Configuration::read).transpose()?.unwrap_or_default();
    // So that what waits for ticks has some, whoever else publishes them or does not.
    configuration.ticks_a_second.get_or_insert(10);
    Ok(builder.configuration(configuration).statistics())
}

/// A host that was started, with its control socket.
struct Running {
    host: Arc<Host>,
    server: Server,
}

impl Running {
    fn new(talk: &Talk, builder: HostBuilder, socket: Option<&Path>) -> Result<Self, Ended> {
        let book = book(talk);
        let socket = socket.map_or_else(default_socket, PathBuf::from);
        let refused = |fault: ControlFault| Ended { exit: 4, ..Ended::failed(fault.to_string()) };
        // Before anything runs that would have to be stopped again.
        let bound = Bound::new(&socket).map_err(refused)?;
        let host = Arc::new(builder.log(book).start()?);
        let server = bound.serve(host.clone()).map_err(refused)?;
        let modules = host.modules();
        let count = if modules.len() == 1 { "one module".into() } else { format!("{} modules", modules.len()) };
        talk.step("running", &format!("{count}; control socket {}", socket.display()));
        Ok(Self { host, server })
    }

    fn end(self, talk: &Talk) -> Result<(), Ended> {
        drop(self.server);
        // Whoever still asks has a hold of it, and is told that the modules have stopped.
        self.host.shut_down()?;
        talk.step("stopped", "");
        Ok(())
    }
}

/// Runs a host until it is interrupted.
pub fn run(talk: &Talk, what: &[PathBuf], config: Option<&Path>, socket: Option<&Path>) -> Result<(), Ended> {
    let mut builder = configured(Host::builder(), config)?;
    for path in what {
        if !path.exists() {
            return Err(Ended { exit: 3, ..Ended::failed(format!("{}: found no such file", path.display())) }
                .try_next("helix build"));
        }
        builder = if path.is_dir() { builder.directory(path)? } else { builder.libraries(std::slice::from_ref(path)) };
    }
    if builder.count() == 0 {
        let first = what[0].display();
        let next =
            if what[0].join("Cargo.toml").exists() { format!("helix watch {first}") } else { "helix build".into() };
        return Err(Ended { exit: 3, ..Ended::failed(format!("{first}: found no libraries in it")) }.try_next(next));
    }
    until_interrupted()?;
    let running = Running::new(talk, builder, socket).map_err(|ended| match (ended.exit, what) {
        (4, [folder]) if folder.is_dir() => ended.try_next(format!("helix check {}", folder.display())),
        _ => ended,
    })?;
    while !ENDED.load(Ordering::Acquire) {
        std::thread::park_timeout(Duration::from_millis(50));
    }
    running.end(talk)
}

/// Builds crates, runs a host with them, and reloads each when its sources change.
pub fn watch(
    talk: &Talk,
    crates: &[PathBuf],
    how: &How,
    config: Option<&Path>,
    socket: Option<&Path>,
) -> Result<(), Ended> {
    let cargo = how.cargo(talk);
    let modules = crates.iter().map(|folder| cargo.find(folder)).collect::<Result<Vec<_>, _>>()?;
    let watch = Watch::new(cargo.clone(), modules.clone());
    let mut libraries = Vec::new();
    for module in &modules {
        let built = cargo.build(module, &Cancel::default(), &mut |bytes| talk.pass(bytes)).map_err(|failure| {
            compiler_said(talk, &failure);
            Ended::from(failure)
        })?;
        talk.step("built", &format!("{} in {:.0} ms", built.module, built.cargo.as_secs_f64() * 1e3));
        libraries.push(built.path);
    }
    let builder = configured(Host::builder(), config)?.libraries(&libraries);
    until_interrupted()?;
    let running = Running::new(talk, builder, socket)?;
    let names = modules.iter().map(|module| module.package.as_str()).collect::<Vec<_>>().join(", ");
    let ready = || talk.step("watching", &names);
    watch.run(&running.host, &ENDED, ready, &mut |told| say(talk, told))?;
    running.end(talk)
}

fn compiler_said(talk: &Talk, failure: &BuildFailure) {
    if let BuildFailure::Compiler { rendered, .. } = failure {
        talk.pass(rendered.as_bytes());
    }
}

fn say(talk: &Talk, told: Told) {
    let ms = |time: Duration| format!("{:.0} ms", time.as_secs_f64() * 1e3);
    match told {
        Told::Changed { files, packages } => {
            let files = files.iter().map(|file| shown(file)).collect::<Vec<_>>().join(", ");
            talk.step("changed", &format!("{files}; building {}", packages.join(", ")));
        }
        Told::Cargo(bytes) => talk.pass(&bytes),
        Told::Again => talk.step("again", "the sources have changed meanwhile"),
        Told::Failed { failure, after } => {
            compiler_said(talk, &failure);
            talk.error(&format!("{failure} (after {}); what ran before serves on", ms(after)), None);
        }
        Told::Reloaded { reloaded, warnings, after } => {
            talk.pass(warnings.as_bytes());
            talk.step(
                "reloaded",
                &format!(
                    "{}\n{:>11}{} after the change",
                    reloaded.summary().replace('\n', &format!("\n{:>11}", "")),
                    "",
                    ms(after)
                ),
            );
        }
        Told::Refused { fault, after } => {
            let next = matches!(fault, HostFault::Kept { .. }).then_some("helix why MODULE");
            talk.error(&format!("{fault} (after {})", ms(after)), next);
        }
        Told::Blind(text) => talk
            .error(&format!("the system does not tell of changes any more: {text}"), Some("start `helix watch` again")),
        _ => {}
    }
}
