//! A scheduler taken apart, to be put together again in a later instance of the module.

use alloc::vec::Vec;

use super::task::{LEVELS, State, Task};
use super::{MOST_TASKS, Pid, Refusal, Sched};

/// A CPU's account without what it runs, which the tasks know.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CpuAccount {
    /// Whether it can be used.
    pub online: bool,
    /// How long it ran tasks.
    pub busy: u64,
    /// How long it was online with nothing to run.
    pub idle: u64,
    /// How often it turned to another task than before.
    pub switches: u64,
    /// How many tasks it took from the queues of others.
    pub steals: u64,
}

/// All that a scheduler knows; queues follow from the tasks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Parts {
    /// How many ticks have passed.
    pub clock: u64,
    /// The number of the next task.
    pub next_pid: Pid,
    /// The next place in line.
    pub next_turn: u64,
    /// How many tasks were spawned.
    pub spawned: u64,
    /// How many have ended.
    pub exited: u64,
    /// The tasks.
    pub tasks: Vec<Task>,
    /// The CPUs.
    pub cpus: Vec<CpuAccount>,
}

impl Sched {
    /// Takes the scheduler apart.
    pub fn parts(&self) -> Parts {
        let account = |cpu: &super::Cpu| CpuAccount {
            online: cpu.online,
            busy: cpu.busy,
            idle: cpu.idle,
            switches: cpu.switches,
            steals: cpu.steals,
        };
        Parts {
            clock: self.clock,
            next_pid: self.next_pid,
            next_turn: self.next_turn,
            spawned: self.spawned,
            exited: self.exited,
            tasks: self.tasks().collect(),
            cpus: self.cpus.iter().map(account).collect(),
        }
    }

    /// Puts a scheduler together. The number of CPUs and the slice are this instance's own: its configuration may be
    /// another than the one under which the parts were saved.
    pub fn from_parts(cpus: usize, slice: u64, parts: Parts) -> Result<Self, Refusal> {
        let mut sched = Self::new(cpus, slice);
        if parts.tasks.len() > MOST_TASKS {
            return Err(Refusal::Full { most: MOST_TASKS });
        }
        for (cpu, saved) in sched.cpus.iter_mut().zip(&parts.cpus) {
            let CpuAccount { online, busy, idle, switches, steals } = *saved;
            (cpu.online, cpu.busy, cpu.idle, cpu.switches, cpu.steals) = (online, busy, idle, switches, steals);
        }
        if !sched.cpus.iter().any(|cpu| cpu.online) {
            sched.cpus[0].online = true;
        }
        let mut turns: Vec<u64> = parts.tasks.iter().map(|task| task.turn).collect();
        turns.sort_unstable();
        if turns.windows(2).any(|turns| turns[0] == turns[1]) {
            return Err(Refusal::Inconsistent("two tasks have one place in line"));
        }
        sched.clock = parts.clock;
        (sched.next_pid, sched.next_turn) = (parts.next_pid, parts.next_turn);
        (sched.spawned, sched.exited) = (parts.spawned, parts.exited);
        for mut task in parts.tasks {
            let (pid, state, turn) = (task.pid, task.state, task.turn);
            if task.level >= LEVELS || pid >= parts.next_pid || turn >= parts.next_turn {
                return Err(Refusal::Inconsistent(
                    "a task has a level, a number or a place in line that none can have",
                ));
            }
            // A CPU that is gone is nobody's home.
            task.home = task.home.min(sched.cpus.len() - 1);
            task.slice_left = task.slice_left.clamp(1, sched.slice);
            task.since = parts.clock;
            // Until it is put in line, it is nowhere.
            task.state = State::Blocked;
            let home = task.home;
            if sched.tasks.insert(pid, task).is_some() {
                return Err(Refusal::Inconsistent("two tasks have one number"));
            }
            match state {
                State::Running(cpu) => {
                    sched.put_in_line(pid, cpu, turn);
                    if sched.cpus[home].online {
                        // It goes on where it was, which is no switch.
                        sched.cpus[home].last = Some(pid);
                    }
                }
                State::Ready(cpu) => sched.put_in_line(pid, cpu, turn),
                State::Blocked => {}
            }
        }
        sched.settle();
        Ok(sched)
    }
}
