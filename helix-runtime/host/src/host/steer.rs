//! How a host is steered: load, reload, unload, start, stop. Each is the runtime's own transition, and files besides.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use helix_runtime::{ModuleId, ModuleState, Replacement, Transition};
use serde::{Deserialize, Serialize};

use super::{Host, HostFault, InLibrary, Shared, locked};
use crate::build::Built;
use crate::library::{BuildId, Library};
use crate::load::Loaded;

/// One step of a reload.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Step {
    /// What was done, with what there is to say of it.
    pub what: String,
    /// How long it took, in seconds.
    pub seconds: f64,
}

/// How a reload went.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Reloaded {
    /// The module.
    pub module: String,
    /// Whether there was something new. If not, nothing was touched.
    pub changed: bool,
    /// Whether it waits until the chain of calls has returned that it was asked for in.
    pub postponed: bool,
    /// Which build answers now.
    pub build: String,
    /// Which instance answers now.
    pub generation: u32,
    /// What was done.
    pub steps: Vec<Step>,
    /// How long all of it took, in seconds.
    pub seconds: f64,
    /// How long callers waited at most, in seconds.
    pub closed: f64,
    /// How many events found no room to wait meanwhile.
    pub lost: usize,
}

impl Reloaded {
    /// All of it in two lines, as the command shows it.
    pub fn summary(&self) -> String {
        if !self.changed {
            return format!("nothing changed: build {} of {} answers already", self.build, self.module);
        }
        let steps: Vec<String> = self.steps.iter().map(Step::to_string).collect();
        let outcome = if self.postponed {
            "it takes effect when the call has returned that asked for it".to_string()
        } else {
            format!(
                "reloaded in {}; callers waited {} at most; {} events lost",
                time(self.seconds),
                time(self.closed),
                self.lost
            )
        };
        format!("{}\n{outcome}", steps.join(", "))
    }
}

impl std::fmt::Display for Step {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.what)?;
        if self.seconds < 0.001 { Ok(()) } else { write!(f, " {}", time(self.seconds)) }
    }
}

/// A time as one reads it: `412ms`, `8us`.
pub(crate) fn time(seconds: f64) -> String {
    match seconds {
        1.0.. => format!("{seconds:.1}s"),
        0.001.. => format!("{:.0}ms", seconds * 1e3),
        _ => format!("{:.0}us", (seconds * 1e6).max(if seconds > 0.0 { 1.0 } else { 0.0 })),
    }
}

impl Host {
    /// Loads a library into the running host, and starts its module. Tells the module's name.
    ///
    /// # Errors
    /// What stands in the way; nothing has changed then.
    pub fn load(&self, path: &Path) -> Result<String, HostFault> {
        self.shared.load(path)
    }

    /// Replaces a module by what is in its library now, or in another file, with its state, while it serves.
    ///
    /// # Errors
    /// What stands in the way, and what serves on.
    pub fn reload(&self, module: &str, path: Option<&Path>) -> Result<Reloaded, HostFault> {
        self.shared.reload(module, path)
    }

    /// The same with what was just built.
    ///
    /// # Errors
    /// As above.
    pub fn reload_built(&self, built: &Built) -> Result<Reloaded, HostFault> {
        let library = Library::open(&built.path)?;
        let module = library.name().to_string();
        let step = Step { what: "build".into(), seconds: built.cargo.as_secs_f64() };
        self.shared.reload_library(&module, library, vec![step])
    }

    /// Stops a module that nobody needs, and takes it away.
    ///
    /// # Errors
    /// When it is needed or essential, or stays busy.
    pub fn unload(&self, module: &str) -> Result<Transition, HostFault> {
        let shared = &*self.shared;
        let _change = shared.changing.begin()?;
        let gone = shared.runtime.remove(shared.id(module)?)?;
        shared.keep.check()?;
        Ok(gone)
    }

    /// Starts a module that was stopped; one that has failed, too: it is made anew, without its state.
    ///
    /// # Errors
    /// When it cannot start, or what it needs does not run.
    pub fn start_module(&self, module: &str) -> Result<(), HostFault> {
        let _change = self.shared.changing.begin()?;
        let id = self.shared.id(module)?;
        match self.shared.has_failed(id) {
            true => Ok(self.shared.runtime.restart_module(id)?),
            false => Ok(self.shared.runtime.start_module(id)?),
        }
    }

    /// Stops a module that nobody needs who runs.
    ///
    /// # Errors
    /// When it is needed or essential, or stays busy.
    pub fn stop_module(&self, module: &str) -> Result<(), HostFault> {
        let _change = self.shared.changing.begin()?;
        self.shared.runtime.stop_module(self.shared.id(module)?)?;
        Ok(self.shared.keep.check()?)
    }

    /// The file that a module came in, and which build answers.
    pub fn library(&self, module: &str) -> Option<(PathBuf, BuildId)> {
        self.shared.serving(module).map(|library| (library.path, library.loaded.build))
    }

    /// How many libraries are mapped, and how long their files are together, in bytes. One that was replaced stays.
    pub fn mapped(&self) -> (usize, usize) {
        self.shared.loader.mapped()
    }
}

impl Shared {
    pub(super) fn id(&self, module: &str) -> Result<ModuleId, HostFault> {
        self.runtime.module_id(module).map_err(|_| HostFault::NotFound {
            what: "module",
            name: module.into(),
            known: self.names().join(", "),
        })
    }

    fn has_failed(&self, id: ModuleId) -> bool {
        self.runtime.modules().iter().any(|found| found.id == id && found.state == ModuleState::Failed)
    }

    pub(super) fn names(&self) -> Vec<&'static str> {
        self.runtime.modules().iter().map(|module| module.info.name).collect()
    }

    fn load(&self, path: &Path) -> Result<String, HostFault> {
        let _change = self.changing.begin()?;
        let library = Library::open(path)?;
        let module = library.name().to_string();
        if self.runtime.module_id(&module).is_ok() {
            return Err(HostFault::There { module });
        }
        self.add(library)?;
        Ok(module)
    }

    pub(super) fn add(&self, library: Library) -> Result<(), HostFault> {
        let loaded = self.loader.load_library(&library)?;
        self.take_up(library, loaded, |name| {
            self.keep.read(&[name])?.into_iter().for_each(|state| self.runtime.offer(state));
            self.runtime.add_descriptor(loaded.descriptor)?;
            Ok(())
        })
    }

    /// Makes a library's module the one that runs. If that fails, all is as it was before.
    fn take_up<T>(
        &self,
        library: Library,
        loaded: Loaded,
        make: impl FnOnce(&str) -> Result<T, HostFault>,
    ) -> Result<T, HostFault> {
        let module = library.name().to_string();
        let values = library.manifest.as_ref().map_or_else(Vec::new, |manifest| manifest.config.clone());
        let before = self.configured.note(&module, values);
        let made = make(&module).inspect_err(|_| {
            self.configured.note(&module, before);
            self.loader.let_go(loaded.descriptor);
        })?;
        let mut libraries = locked(&self.libraries);
        let all = libraries.entry(module).or_default();
        all.retain(|known| !core::ptr::eq(known.loaded.descriptor, loaded.descriptor));
        all.push(InLibrary::new(library, loaded));
        Ok(made)
    }

    /// The library whose code answers for a module: what was asked for last may not have come about.
    pub(super) fn serving(&self, module: &str) -> Option<InLibrary> {
        let id = self.runtime.module_id(module).ok()?;
        let all = locked(&self.libraries).get(module).cloned().unwrap_or_default();
        all.into_iter().rev().find(|library| self.runtime.serves(id, library.loaded.descriptor))
    }

    pub(super) fn reload(&self, module: &str, path: Option<&Path>) -> Result<Reloaded, HostFault> {
        self.id(module)?;
        let known = self.serving(module).map(|library| library.path);
        let path = path.map(Path::to_path_buf).or(known);
        let joins = self.configured.first().placed.get(module).is_some_and(|placing| placing.joins);
        let without = if joins {
            HostFault::Joins { module: module.into() }
        } else {
            HostFault::Linked { module: module.into() }
        };
        let path = path.ok_or(without)?;
        let library = Library::open(&path).map_err(|fault| self.kept(module, fault.into()))?;
        self.reload_library(module, library, Vec::new())
    }

    fn reload_library(&self, module: &str, library: Library, steps: Vec<Step>) -> Result<Reloaded, HostFault> {
        let _change = self.changing.begin()?;
        self.replace(module, library, steps).map_err(|fault| self.kept(module, fault))
    }

    /// What went wrong, and what runs on.
    fn kept(&self, module: &str, fault: HostFault) -> HostFault {
        let modules = self.runtime.modules();
        let Some(status) = modules.iter().find(|status| status.info.name == module) else { return fault };
        let build = self.serving(module).map(|library| library.loaded.build);
        let build = build.map_or_else(String::new, |build| format!(", build {build}"));
        let serves = if status.state == ModuleState::Running { "serves on" } else { "is as it was" };
        let kept = format!("{module} {}, generation {}{build}, {serves}", status.info.version, status.generation);
        HostFault::Kept { fault: Box::new(fault), kept }
    }

    fn replace(&self, module: &str, library: Library, mut steps: Vec<Step>) -> Result<Reloaded, HostFault> {
        let id = self.id(module)?;
        let before: f64 = steps.iter().map(|step| step.seconds).sum();
        let began = Instant::now();
        if library.name() != module {
            let (path, found) = (library.path.display().to_string(), library.name().to_string());
            return Err(HostFault::Other { module: module.into(), path, found });
        }
        let build = library.build;
        let is_it = |serves: InLibrary| serves.loaded.build == build && serves.manifest == library.manifest;
        if !self.has_failed(id) && self.serving(module).is_some_and(is_it) {
            return Ok(self.told(module, build, steps, Duration::ZERO, Outcome::Nothing));
        }
        let loaded = self.loader.load_library(&library)?;
        steps.push(Step { what: "accept".into(), seconds: began.elapsed().as_secs_f64() });
        let creating = Instant::now();
        let transition = self.take_up(library, loaded, |_| Ok(self.runtime.replace(id, loaded.descriptor)?))?;
        let report = self.runtime.replacement().unwrap_or_default();
        let outcome = match transition {
            Transition::Done => Outcome::Done(&report),
            Transition::Postponed => Outcome::Postponed,
        };
        if transition == Transition::Done {
            self.prove(module, id, &loaded)?;
        }
        let seconds = creating.elapsed().as_secs_f64();
        steps.push(Step { what: format!("create gen {}", self.generation(module)), seconds });
        if let (Outcome::Done(report), true) = (&outcome, transition == Transition::Done) {
            steps.extend(told_of(report).map(|what| Step { what, seconds: 0.0 }));
        }
        let took = began.elapsed() + Duration::from_secs_f64(before);
        Ok(self.told(module, build, steps, took, outcome))
    }

    /// Whether the code that answers is the one that was loaded.
    fn prove(&self, module: &str, id: ModuleId, loaded: &Loaded) -> Result<(), HostFault> {
        if self.runtime.serves(id, loaded.descriptor) {
            return Ok(());
        }
        Err(HostFault::NotLive { module: module.into(), build: loaded.build.to_string() })
    }

    fn generation(&self, module: &str) -> u32 {
        let modules = self.runtime.modules();
        modules.iter().find(|status| status.info.name == module).map_or(0, |status| status.generation)
    }

    fn told(&self, module: &str, build: BuildId, steps: Vec<Step>, took: Duration, outcome: Outcome<'_>) -> Reloaded {
        let (closed, lost) = match outcome {
            Outcome::Done(report) => (report.closed, report.lost),
            _ => (Duration::ZERO, 0),
        };
        Reloaded {
            module: module.into(),
            changed: !matches!(outcome, Outcome::Nothing),
            postponed: matches!(outcome, Outcome::Postponed),
            build: build.to_string(),
            generation: self.generation(module),
            steps,
            seconds: took.as_secs_f64(),
            closed: closed.as_secs_f64(),
            lost,
        }
    }
}

enum Outcome<'a> {
    Nothing,
    Postponed,
    Done(&'a Replacement),
}

/// What there is to tell of a replacement, in the order in which it was done.
fn told_of(report: &Replacement) -> impl Iterator<Item = String> {
    let state = report.state.map(|(from, to, bytes)| match from == to {
        true => format!("restore v{from} ({bytes} B)"),
        false => format!("restore v{from} -> v{to} ({bytes} B)"),
    });
    let dependents = match report.modules.len().saturating_sub(1) {
        0 => None,
        1 => Some("1 dependent".to_string()),
        many => Some(format!("{many} dependents")),
    };
    state.into_iter().chain(dependents).chain(["live".to_string()])
}
