//! Who runs, where and for how long.

use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

use helix_runtime::prelude::*;

/// How important a task is: a lower one does not run while a higher one waits.
#[helix_message]
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Priority {
    /// What is left over.
    Background,
    /// Unless said otherwise.
    Normal,
    /// Someone is waiting for it.
    High,
}

impl fmt::Display for Priority {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Background => "background",
            Self::Normal => "normal",
            Self::High => "high",
        })
    }
}

/// What a task is doing.
#[helix_message]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TaskState {
    /// It runs.
    Running {
        /// On this CPU.
        cpu: u32,
    },
    /// It could run, and waits for its turn.
    Ready {
        /// In the queue of this CPU.
        cpu: u32,
    },
    /// It waits for something other than a CPU.
    Blocked,
    /// It has ended.
    Exited {
        /// How; 0 is success.
        code: i32,
    },
}

impl fmt::Display for TaskState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Running { cpu } => write!(f, "running on cpu {cpu}"),
            Self::Ready { cpu } => write!(f, "ready on cpu {cpu}"),
            Self::Blocked => f.write_str("blocked"),
            Self::Exited { code } => write!(f, "exited with code {code}"),
        }
    }
}

/// A task's account. Times are in ticks.
#[helix_message]
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TaskInfo {
    /// Its number.
    pub pid: u64,
    /// Its name.
    pub name: String,
    /// How important it is.
    pub priority: Priority,
    /// What it is doing.
    pub state: TaskState,
    /// How long it ran.
    pub run: u64,
    /// How long it could have run and did not.
    pub waited: u64,
    /// How long it was blocked.
    pub blocked: u64,
    /// How often a CPU was given to it.
    pub switches: u64,
    /// How often that was another CPU than before.
    pub migrations: u64,
}

/// A CPU's account. Times are in ticks.
#[helix_message]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CpuInfo {
    /// Its number.
    pub cpu: u32,
    /// Whether it can be used.
    pub online: bool,
    /// The task that it runs.
    pub running: Option<u64>,
    /// How many tasks wait in its queue.
    pub waiting: u32,
    /// How long it ran tasks.
    pub busy: u64,
    /// How long it had nothing to run.
    pub idle: u64,
    /// How often it turned from one task to another.
    pub switches: u64,
    /// How many tasks it took from the queues of others.
    pub steals: u64,
}

/// A scheduler's account of everything.
#[helix_message]
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SchedulerStats {
    /// How long it has run, in ticks.
    pub ticks: u64,
    /// How long a task may run before it is another's turn, in ticks.
    pub time_slice: u64,
    /// The tasks that have not ended, by number.
    pub tasks: Vec<TaskInfo>,
    /// The CPUs, by number.
    pub cpus: Vec<CpuInfo>,
    /// How many tasks were spawned so far.
    pub spawned: u64,
    /// How many have ended.
    pub exited: u64,
    /// How many handlers acted on what it published about them.
    pub handled: u64,
    /// How many handlers failed or were busy, so that it did not reach them.
    pub missed: u64,
}

/// Why a scheduler did not do what it was asked for.
#[helix_message]
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SchedulerError {
    /// There is no such task.
    NoSuchTask {
        /// The number that was asked for.
        pid: u64,
        /// How many tasks there are.
        tasks: u32,
    },
    /// The task is not in a state in which this can be done.
    WrongState {
        /// The task.
        pid: u64,
        /// What it is doing.
        found: TaskState,
        /// What it would have to be doing.
        expected: String,
    },
    /// There are as many tasks as there can be.
    Full {
        /// How many that is.
        most: u32,
    },
    /// There is no such CPU.
    NoSuchCpu {
        /// The number that was asked for.
        cpu: u32,
        /// How many CPUs there are.
        cpus: u32,
    },
    /// Somebody has to run what runs.
    LastCpu {
        /// The only CPU that is online.
        cpu: u32,
    },
    /// Saved state that contradicts itself.
    Inconsistent {
        /// How.
        reason: String,
    },
}

impl fmt::Display for SchedulerError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoSuchTask { pid, tasks } => {
                write!(f, "no task has the number {pid}; `stats` lists the {tasks} there are")
            }
            Self::WrongState { pid, found, expected } => write!(f, "task {pid} is {found}, expected {expected}"),
            Self::Full { most } => write!(f, "there are {most} tasks, which is the most; wait until one has exited"),
            Self::NoSuchCpu { cpu, cpus } => {
                write!(f, "no cpu {cpu}; expected 0 to {}", cpus.saturating_sub(1))
            }
            Self::LastCpu { cpu } => {
                write!(f, "cpu {cpu} is the only one online; bring another online before it goes")
            }
            Self::Inconsistent { reason } => write!(f, "saved state: {reason}; start without it"),
        }
    }
}

impl core::error::Error for SchedulerError {}

/// Gives CPUs to tasks.
#[helix_service("scheduler")]
pub trait Scheduler {
    /// Makes a task, which can run at once; returns its number.
    fn spawn(&mut self, name: &str, priority: Priority, ctx: &Context) -> Result<u64, SchedulerError>;
    /// Takes the CPU from a task until it is woken.
    fn block(&mut self, pid: u64) -> Result<(), SchedulerError>;
    /// Lets a blocked task run again.
    fn wake(&mut self, pid: u64) -> Result<(), SchedulerError>;
    /// Ends a task and returns its account.
    fn exit(&mut self, pid: u64, code: i32, ctx: &Context) -> Result<TaskInfo, SchedulerError>;
    /// The account of everything.
    fn stats(&self) -> SchedulerStats;
}
