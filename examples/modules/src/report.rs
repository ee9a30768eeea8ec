//! What happened, for a person and for a program.

use demo_contracts::{CpuInfo, Entry, JournalStats, MemoryReport};
use serde::Serialize;

/// One run of the demo. With `--json` it is printed as it stands here.
#[derive(Debug, Serialize)]
pub struct Report {
    /// For how long the modules were driven.
    pub seconds: f64,
    /// From one interrupt to the next.
    pub period_us: u64,
    /// How long a task may run before it is another's turn, in ticks.
    pub time_slice_ticks: u64,
    /// How many ticks the scheduler has counted.
    pub ticks: u64,
    /// The modules, in the order in which they start.
    pub modules: Vec<Module>,
    /// What was done, in order.
    pub steps: Vec<Step>,
    /// Every task there was, by number.
    pub tasks: Vec<Task>,
    /// The CPUs, by number.
    pub cpus: Vec<CpuInfo>,
    /// What was published, by whom.
    pub events: Vec<Published>,
    /// What the journal held at the end, and its last entries.
    pub journal: JournalStats,
    /// The last entries of the journal.
    pub last: Vec<Entry>,
    /// What was done about memory pressure.
    pub memory: MemoryReport,
    /// What each module said of itself at the end.
    pub health: Vec<Health>,
    /// The modules in the order in which they stopped.
    pub stopped: Vec<String>,
}

/// A module, and why it starts when it does.
#[derive(Debug, Serialize)]
pub struct Module {
    /// Its name.
    pub name: String,
    /// Its version.
    pub version: String,
    /// What it is for.
    pub description: String,
    /// Whether it needs no lock, as no handler of it changes it.
    pub lockless: bool,
    /// The services it provides.
    pub provides: Vec<String>,
    /// What it needs.
    pub needs: Vec<Need>,
}

/// Something that a module needs.
#[derive(Debug, Serialize)]
pub struct Need {
    /// The module or the service that is needed.
    pub name: String,
    /// The module that is or provides it.
    pub from: String,
}

/// What a step was.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// An event was published.
    Event,
    /// A request was made.
    Request,
}

/// One thing that was done, and what came of it.
#[derive(Debug, Serialize)]
pub struct Step {
    /// When, in milliseconds.
    pub at_ms: f64,
    /// What it was.
    pub kind: Kind,
    /// The event or the request, with its arguments.
    pub what: String,
    /// Whether it was refused.
    pub refused: bool,
    /// The reply, or what followed.
    pub outcome: String,
}

/// A task and its account, in ticks.
#[derive(Debug, Serialize)]
pub struct Task {
    /// Its number.
    pub pid: u64,
    /// Its name.
    pub name: String,
    /// How important it is.
    pub priority: String,
    /// What it was doing at the end.
    pub state: String,
    /// Its share of the time of all CPUs together, in percent.
    pub share: f64,
    /// How long it ran.
    pub run: u64,
    /// How long it waited for a CPU.
    pub waited: u64,
    /// How long it was blocked.
    pub blocked: u64,
    /// How often a CPU was given to it.
    pub switches: u64,
    /// How often that was another CPU than before.
    pub migrations: u64,
}

/// Events of one topic.
#[derive(Debug, Serialize)]
pub struct Published {
    /// The topic.
    pub topic: String,
    /// Who published them.
    pub by: String,
    /// How many there were, as the journal counted.
    pub published: u64,
    /// How many handlers acted on them, as the publisher was told.
    pub handled: u64,
    /// How many handlers failed or could not be reached.
    pub missed: u64,
}

/// What a module said of itself.
#[derive(Debug, Serialize)]
pub struct Health {
    /// The module.
    pub module: String,
    /// Whether it is well.
    pub healthy: bool,
    /// Why not.
    pub reason: Option<String>,
}
