//! What a later version of this module takes back.

use alloc::vec::Vec;

use demo_contracts::{CpuInfo, TaskInfo};
use helix_runtime::prelude::*;

use crate::convert;
use crate::sched::{Parts, Refusal, Sched};

/// A task: its account, and its place in line.
#[helix_message]
#[derive(Debug, Clone, PartialEq)]
pub struct SavedTask {
    /// What everyone may know of it.
    pub info: TaskInfo,
    /// The CPU on which it ran last.
    pub home: u32,
    /// Its place in line.
    pub turn: u64,
    /// How much of its slice is left.
    pub slice_left: u64,
}

/// The first version of the saved state.
#[helix_message]
#[derive(Debug, Clone, PartialEq)]
pub struct SavedV1 {
    /// The last tick that was heard.
    pub last_tick: u64,
    /// How many ticks have passed.
    pub clock: u64,
    /// The number of the next task.
    pub next_pid: u64,
    /// The next place in line.
    pub next_turn: u64,
    /// How many tasks were spawned.
    pub spawned: u64,
    /// How many have ended.
    pub exited: u64,
    /// The tasks.
    pub tasks: Vec<SavedTask>,
    /// The CPUs.
    pub cpus: Vec<CpuInfo>,
}

impl SavedV1 {
    pub(crate) fn of(sched: &Sched, last_tick: u64) -> Self {
        let Parts { clock, next_pid, next_turn, spawned, exited, tasks, .. } = sched.parts();
        let saved = |task: crate::sched::Task| SavedTask {
            home: task.home as u32,
            turn: task.turn,
            slice_left: task.slice_left,
            info: convert::task_info(task),
        };
        let tasks = tasks.into_iter().map(saved).collect();
        Self { last_tick, clock, next_pid, next_turn, spawned, exited, tasks, cpus: convert::cpu_infos(sched) }
    }

    pub(crate) fn into_sched(self, cpus: usize, slice: u64) -> Result<Sched, Refusal> {
        let task = |SavedTask { info, home, turn, slice_left }| {
            let mut task = convert::task(info)?;
            (task.home, task.turn, task.slice_left) = (home as usize, turn, slice_left);
            Ok(task)
        };
        let parts = Parts {
            clock: self.clock,
            next_pid: self.next_pid,
            next_turn: self.next_turn,
            spawned: self.spawned,
            exited: self.exited,
            tasks: self.tasks.into_iter().map(task).collect::<Result<_, _>>()?,
            cpus: self.cpus.iter().map(convert::cpu_account).collect(),
        };
        Sched::from_parts(cpus, slice, parts)
    }
}
