//! What a host shows of itself, as plain data: the command prints it, and gives it as JSON.

use std::collections::BTreeMap;
use std::sync::Arc;

use helix_runtime::modinfo::Record;
use helix_runtime::{Descriptor, ModuleState, ModuleStatus, Placement};
use serde::{Deserialize, Serialize};

use super::{Host, HostFault, Line, Shared, locked};
use crate::directory::Found;
use crate::process::{LinkView, PermitView, ProcessView, Processes};

/// A module, as `helix ls` shows it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ModuleView {
    /// Its name.
    pub name: String,
    /// Its version.
    pub version: String,
    /// Where it lives, and for a process what of a sandbox it does without.
    pub place: String,
    /// Where it stands in its life; one that has failed may be `crashed`.
    pub state: String,
    /// Which instance of it answers.
    pub generation: u32,
    /// How many events it hears a second; nothing where nobody counts, or it does not run.
    pub events_a_second: Option<u64>,
    /// How often it was started again.
    pub restarts: u32,
    /// What it needs.
    pub needs: Vec<NeedView>,
    /// Its layer, if it has one.
    pub kind: Option<String>,
    /// Which build it is, where it came in a library.
    pub build: Option<String>,
}

/// What the state of a module is called that waits until it is asked for.
const LAZY: &str = "lazy";
/// The state of one that is a program which joins by itself, and has not come yet.
const TO_JOIN: &str = "to join";

/// What the state of a module is called whose process has ended.
const CRASHED: &str = "crashed";

impl ModuleView {
    /// Whether it should run and does not.
    pub fn is_down(&self) -> bool {
        !matches!(self.state.as_str(), "running" | LAZY | TO_JOIN)
    }

    fn of_lazy(found: &Found, providers: &[(&'static str, &'static [&'static str])]) -> Self {
        let by = |needed: &str| {
            let called = providers.iter().find(|(name, _)| *name == needed);
            called.or_else(|| providers.iter().find(|(_, provides)| provides.contains(&needed))).map(|(name, _)| *name)
        };
        let info = &found.info;
        Self {
            version: info.version.to_string(),
            needs: info.dependencies.iter().map(|needed| NeedView::of(&(needed, by(needed.name)))).collect(),
            kind: info.kind.map(|kind| kind.as_str().into()),
            ..Self::absent(info.name, Placement::Dylib, LAZY)
        }
    }

    /// One that is not there, and of which no more is known.
    fn absent(name: &str, place: Placement, state: &str) -> Self {
        Self {
            name: name.into(),
            version: "-".into(),
            place: place.to_string(),
            state: state.into(),
            generation: 0,
            events_a_second: None,
            restarts: 0,
            needs: Vec::new(),
            kind: None,
            build: None,
        }
    }
}

/// One need of a module.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct NeedView {
    /// What it needs, with the version and the features.
    pub what: String,
    /// Who meets the need, if anybody does.
    pub by: Option<String>,
    /// Whether it can do without.
    pub optional: bool,
}

/// Who needs whom.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct GraphView {
    /// The modules, in the order in which they start.
    pub modules: Vec<ModuleView>,
}

/// Why a module is as it is.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct WhyView {
    /// The module; nothing if none is loaded by that name.
    pub module: Option<ModuleView>,
    /// The name that was asked for.
    pub name: String,
    /// What was last said of it that went wrong.
    pub reason: Option<String>,
    /// What each of its needs comes to.
    pub needs: Vec<String>,
    /// Who needs it.
    pub needed_by: Vec<String>,
    /// The command that would help.
    pub fix: Option<String>,
}

/// What a module says of itself.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct HealthView {
    /// The module.
    pub module: String,
    /// Whether it runs and says that it is well.
    pub healthy: bool,
    /// Why not.
    pub reason: Option<String>,
}

/// What was published, and who heard it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct StatsView {
    /// How often each event was published that somebody names.
    pub published: BTreeMap<String, usize>,
    /// How often others were.
    pub unnamed: usize,
    /// Who heard what, how often, with how many failures, and how long it took in seconds.
    pub listeners: Vec<ListenerView>,
    /// What went over the links of modules in processes.
    pub links: Vec<LinkView>,
    /// How many libraries are mapped, those that were replaced included.
    pub libraries: usize,
    /// How long their files are together, in bytes.
    pub mapped_bytes: usize,
}

/// A listener of [`StatsView`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ListenerView {
    /// The module or the closure.
    pub name: String,
    /// What it listens to.
    pub topic: String,
    /// How often it was called.
    pub calls: usize,
    /// How often it failed.
    pub failures: usize,
    /// How long it took, all calls together, in seconds.
    pub seconds: f64,
}

/// What is known of a module: of a library that is not loaded, or of one in a host.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct InfoView {
    /// Its record, field by field.
    pub fields: Vec<(String, String)>,
    /// The file, and which build it is, where that is known.
    pub file: Option<String>,
    /// Which build it is.
    pub build: Option<String>,
    /// What is in force, for one that is loaded.
    pub loaded: Option<ModuleView>,
    /// The process that serves it, where it has one of its own.
    pub process: Option<ProcessView>,
}

impl InfoView {
    /// What a record says.
    pub fn of_record(record: &Record) -> Self {
        let fields = record.fields().map(|(key, value)| (key.to_string(), value.to_string())).collect();
        Self { fields, file: None, build: None, loaded: None, process: None }
    }
}

impl Host {
    /// The modules, in the order in which they start, and then those that are not there yet: lazy ones that nobody has asked for,
    /// and programs that are to join.
    pub fn modules(&self) -> Vec<ModuleView> {
        let rates = locked(&self.shared.rates).a_second.clone();
        let has_rates = !rates.is_empty();
        let processes = self.shared.processes();
        let view = |status: ModuleStatus| {
            let name = status.info.name;
            let process = processes.get(name).map(|processes| processes.view());
            let runs = status.state == ModuleState::Running;
            ModuleView {
                name: name.into(),
                version: status.info.version.to_string(),
                place: place(&status, process.as_ref().and_then(Option::as_ref)),
                state: match status.state {
                    ModuleState::Failed if process == Some(None) => CRASHED.into(),
                    state => state.to_string(),
                },
                generation: status.generation,
                events_a_second: (runs && has_rates).then(|| rates.get(name).copied().unwrap_or(0)),
                restarts: status.restarts,
                needs: status.needs.iter().map(NeedView::of).collect(),
                kind: status.info.kind.map(|kind| kind.as_str().into()),
                build: self.shared.serving(name).map(|library| library.loaded.build.to_string()),
            }
        };
        let statuses = self.shared.runtime.modules();
        let mut providers: Vec<(&str, &[&str])> =
            statuses.iter().map(|status| (status.info.name, status.info.provides)).collect();
        let lazy = self.shared.lazy.waiting();
        providers.extend(lazy.iter().map(|found| (found.info.name, found.info.provides)));
        let lazy = lazy.iter().filter(|found| statuses.iter().all(|status| status.info.name != found.info.name));
        let lazy: Vec<_> = lazy.map(|found| ModuleView::of_lazy(found, &providers)).collect();
        let joins = self.shared.configured.first().placed.iter().filter(|(_, placing)| placing.joins);
        let awaited = joins.filter(|(name, _)| statuses.iter().all(|status| status.info.name != **name));
        let awaited = awaited.map(|(name, _)| ModuleView::absent(name, Placement::Process, TO_JOIN));
        let awaited: Vec<_> = awaited.collect();
        statuses.into_iter().map(view).chain(lazy).chain(awaited).collect()
    }

    /// Whether the log may have lines under that name: of a module, or of the host itself.
    pub fn knows(&self, name: &str) -> bool {
        name == "helix" || self.shared.runtime.module_id(name).is_ok()
    }

    /// What modules in processes may do, and what they have done of it.
    pub fn permissions(&self) -> Vec<PermitView> {
        self.shared.processes().values().map(|processes| processes.permits()).collect()
    }

    /// Who needs whom.
    pub fn graph(&self) -> GraphView {
        GraphView { modules: self.modules() }
    }

    /// What the modules say of themselves.
    pub fn health(&self) -> Vec<HealthView> {
        let of = |health: helix_runtime::ModuleHealth| HealthView {
            module: health.module.into(),
            healthy: health.healthy,
            reason: health.reason.map(|reason| reason.to_string()),
        };
        self.shared.runtime.health().into_iter().map(of).collect()
    }

    /// What was published, and who heard it.
    pub fn stats(&self) -> StatsView {
        let stats = self.shared.runtime.bus().stats();
        let (libraries, mapped_bytes) = self.mapped();
        let listeners = stats.listeners.into_iter().map(|listener| ListenerView {
            name: listener.name.into(),
            topic: listener.topic.to_string(),
            calls: listener.calls,
            failures: listener.failures,
            seconds: listener.time.as_secs_f64(),
        });
        let listeners = listeners.collect();
        let modules = self.shared.runtime.modules();
        let restarts =
            |name: &str| modules.iter().find(|known| known.info.name == name).map_or(0, |known| known.restarts);
        let processes = self.shared.processes();
        let links = processes.iter().map(|(name, processes)| LinkView { restarts: restarts(name), ..processes.link() });
        StatsView {
            published: stats.published.into_iter().collect(),
            unnamed: stats.unnamed,
            listeners,
            links: links.collect(),
            libraries,
            mapped_bytes,
        }
    }

    /// Why a module is as it is.
    pub fn why(&self, asked: &str) -> WhyView {
        let modules = self.modules();
        // A service's provider stands for it.
        let provides = |module: &&helix_runtime::ModuleStatus| module.info.provides.contains(&asked);
        let provider = self.shared.runtime.modules().iter().find(provides).map(|module| module.info.name);
        let is_module = modules.iter().any(|module| module.name == asked);
        let name = provider.filter(|_| !is_module).unwrap_or(asked);
        let module = modules.iter().find(|module| module.name == name).cloned();
        let version =
            |name: &str| modules.iter().find(|module| module.name == name).map(|module| module.version.clone());
        let mut fix = None;
        let needs = module.iter().flat_map(|module| &module.needs).map(|need| match &need.by {
            Some(by) => format!("{}  from {by} {}", need.what, version(by).unwrap_or_default()),
            None => {
                let found = self.provider_on_disk(need.name());
                if let Some(found) = &found {
                    fix.get_or_insert(format!("helix load {found}"));
                }
                let there = found.map_or(String::new(), |found| format!("; {found} does"));
                let or = if need.optional { ", and it can do without" } else { "" };
                format!("{}  nobody provides it{there}{or}", need.what)
            }
        });
        let needs: Vec<String> = needs.collect();
        let needed_by = modules.iter().filter(|other| other.needs.iter().any(|need| need.by.as_deref() == Some(name)));
        let needed_by = needed_by.map(|other| other.name.clone()).collect();
        let is_down = module.as_ref().is_some_and(ModuleView::is_down);
        let is_lazy = module.as_ref().is_some_and(|module| module.state == LAZY);
        let reason = if is_lazy {
            Some("it is lazy: it is loaded when it is first asked for".into())
        } else if module.as_ref().is_some_and(|module| module.state == TO_JOIN) {
            Some("it is a program that joins by itself: it has not come yet; run it with the token in the file `token` in its directory".into())
        } else {
            self.logged(name).filter(|_| is_down)
        };
        if module.is_none() || is_lazy {
            fix = self.provider_on_disk(name).map(|path| format!("helix load {path}"));
        } else if is_down {
            // What it needs comes first.
            let needs = module.iter().flat_map(|module| &module.needs).filter_map(|need| need.by.as_deref());
            let down = |name: &&str| modules.iter().any(|module| module.name == *name && module.is_down());
            let first = { needs }.find(down).unwrap_or(name);
            let joins = self.shared.configured.first().placed.get(first).is_some_and(|placing| placing.joins);
            fix = fix.or_else(|| (!joins).then(|| format!("helix start {first}")));
        }
        WhyView { module, name: name.into(), reason, needs, needed_by, fix }
    }

    /// The last that the log says of a module's trouble.
    fn logged(&self, name: &str) -> Option<String> {
        let book = self.shared.log.as_ref()?;
        let is_trouble = |line: &Line| matches!(line.level.as_str(), "ERROR" | "WARN");
        book.after(0, Some(name)).into_iter().rev().find(is_trouble).map(|line| line.text)
    }

    fn provider_on_disk(&self, name: &str) -> Option<String> {
        let on_disk = |folder: &std::path::PathBuf| {
            let directory = crate::directory::Directory::read(folder).ok()?;
            directory.find(name).map(|found| found.path.display().to_string())
        };
        let lazy = self.shared.lazy.waiting();
        let lazy = lazy.iter().find(|found| found.info.name == name).map(|found| found.path.display().to_string());
        lazy.or_else(|| self.shared.folders.iter().find_map(on_disk))
    }

    /// What is known of a module that is loaded.
    ///
    /// # Errors
    /// When there is none of that name.
    pub fn info(&self, name: &str) -> Result<InfoView, HostFault> {
        self.shared.id(name)?;
        let loaded = self.modules().into_iter().find(|module| module.name == name);
        let library = self.library(name);
        let fields = match &library {
            Some((path, _)) => InfoView::of_record(&crate::library::Library::open(path)?.record).fields,
            None => Vec::new(),
        };
        let (file, build) = library.map(|(path, build)| (path.display().to_string(), build.to_string())).unzip();
        let placement = Placement::Process.to_string();
        let is_process = loaded.as_ref().is_some_and(|module| module.place.starts_with(&placement));
        let process = self.shared.processes().get(name).and_then(|processes| processes.view()).filter(|_| is_process);
        Ok(InfoView { fields, file, build, loaded, process })
    }
}

impl Shared {
    /// By module, the processes that serve it: not those of what was replaced or refused.
    pub(super) fn processes(&self) -> BTreeMap<&'static str, Arc<Processes>> {
        let serves = |descriptor: &'static Descriptor| {
            self.runtime.module_id(descriptor.info.name).is_ok_and(|id| self.runtime.serves(id, descriptor))
        };
        let all = self.loader.processes().into_iter().filter(|(descriptor, _)| serves(descriptor));
        all.map(|(descriptor, processes)| (descriptor.info.name, processes)).collect()
    }
}

/// Where a module lives, and what of a sandbox its process does without.
fn place(status: &ModuleStatus, process: Option<&ProcessView>) -> String {
    let missing = process.into_iter().flat_map(ProcessView::missing).map(|missing| format!(", {missing}"));
    status.placement.to_string() + &missing.collect::<String>()
}

impl NeedView {
    fn of((dependency, by): &(helix_runtime::Dependency, Option<&'static str>)) -> Self {
        let what = dependency.to_string();
        let what = what.strip_suffix(" optional").unwrap_or(&what).to_string();
        Self { what, by: by.map(Into::into), optional: dependency.optional }
    }

    /// What is needed, without the version.
    fn name(&self) -> &str {
        self.what.split(' ').next().unwrap_or_default()
    }
}
