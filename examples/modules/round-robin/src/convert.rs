//! Between the scheduling's own types and those of the contract.

use alloc::string::ToString;
use alloc::vec::Vec;

use demo_contracts::{CpuInfo, Priority, SchedulerError, TaskInfo, TaskState};

use crate::sched::{Cpu, CpuAccount, Refusal, Sched, State, Task};

pub(crate) fn level(priority: Priority) -> usize {
    match priority {
        Priority::Background => 0,
        Priority::Normal => 1,
        Priority::High => 2,
    }
}

fn priority(level: usize) -> Priority {
    match level {
        0 => Priority::Background,
        1 => Priority::Normal,
        _ => Priority::High,
    }
}

fn task_state(state: State) -> TaskState {
    match state {
        State::Running(cpu) => TaskState::Running { cpu: cpu as u32 },
        State::Ready(cpu) => TaskState::Ready { cpu: cpu as u32 },
        State::Blocked => TaskState::Blocked,
    }
}

pub(crate) fn task_info(task: Task) -> TaskInfo {
    let Task { pid, name, level, state, run, waited, blocked, switches, migrations, .. } = task;
    let (priority, state) = (priority(level), task_state(state));
    TaskInfo { pid, name, priority, state, run, waited, blocked, switches, migrations }
}

/// A task as it was saved, without its place in line.
pub(crate) fn task(info: TaskInfo) -> Result<Task, Refusal> {
    let TaskInfo { pid, name, priority, state, run, waited, blocked, switches, migrations } = info;
    let state = match state {
        TaskState::Running { cpu } => State::Running(cpu as usize),
        TaskState::Ready { cpu } => State::Ready(cpu as usize),
        TaskState::Blocked => State::Blocked,
        TaskState::Exited { .. } => return Err(Refusal::Inconsistent("a task that has exited was saved")),
    };
    Ok(Task::saved(pid, name, level(priority), state, [run, waited, blocked, switches, migrations]))
}

pub(crate) fn cpu_infos(sched: &Sched) -> Vec<CpuInfo> {
    let info = |(at, cpu): (usize, &Cpu)| CpuInfo {
        cpu: at as u32,
        online: cpu.online,
        running: cpu.running,
        waiting: cpu.queue.len() as u32,
        busy: cpu.busy,
        idle: cpu.idle,
        switches: cpu.switches,
        steals: cpu.steals,
    };
    sched.cpus().iter().enumerate().map(info).collect()
}

pub(crate) fn cpu_account(info: &CpuInfo) -> CpuAccount {
    let CpuInfo { online, busy, idle, switches, steals, .. } = *info;
    CpuAccount { online, busy, idle, switches, steals }
}

pub(crate) fn error(refusal: Refusal) -> SchedulerError {
    match refusal {
        Refusal::NoSuchTask { pid, tasks } => SchedulerError::NoSuchTask { pid, tasks: tasks as u32 },
        Refusal::Blocked { pid } => {
            SchedulerError::WrongState { pid, found: TaskState::Blocked, expected: "running or ready".to_string() }
        }
        Refusal::NotBlocked { pid, found } => {
            SchedulerError::WrongState { pid, found: task_state(found), expected: "blocked".to_string() }
        }
        Refusal::Full { most } => SchedulerError::Full { most: most as u32 },
        Refusal::NoSuchCpu { cpu, cpus } => SchedulerError::NoSuchCpu { cpu: cpu as u32, cpus: cpus as u32 },
        Refusal::LastCpu { cpu } => SchedulerError::LastCpu { cpu: cpu as u32 },
        Refusal::Inconsistent(why) => SchedulerError::Inconsistent { reason: why.to_string() },
    }
}
