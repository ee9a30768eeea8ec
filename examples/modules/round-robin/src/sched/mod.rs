//! The scheduling itself: run queues, levels, slices and accounts, with nothing of Helix in it.
//!
//! Time is counted in ticks, and only [`Sched::tick`] lets it pass. Every other operation takes effect at once: when it
//! returns, the CPUs run whom they should.

mod cpu;
mod parts;
mod queue;
mod refusal;
mod settle;
mod task;

pub use cpu::Cpu;
pub use parts::{CpuAccount, Parts};
pub use queue::{Place, Queue};
pub use refusal::Refusal;
pub use task::{LEVELS, Pid, State, Task};

use alloc::collections::BTreeMap;
use alloc::string::String;
use alloc::vec::Vec;

/// How many tasks there can be: a queue that is searched on a tick has to end.
pub const MOST_TASKS: usize = 4096;
/// How many CPUs there can be.
pub const MOST_CPUS: usize = 256;

/// Schedules tasks on CPUs.
///
/// ```
/// use round_robin::sched::Sched;
///
/// let mut sched = Sched::new(1, 10);
/// let (a, b) = (sched.spawn("a".into(), 1)?, sched.spawn("b".into(), 1)?);
/// sched.tick(10);
/// sched.tick(10);
/// assert_eq!(sched.tasks().map(|task| (task.pid, task.run)).collect::<Vec<_>>(), [(a, 10), (b, 10)]);
/// # Ok::<(), round_robin::sched::Refusal>(())
/// ```
#[derive(Debug, Clone, Default)]
pub struct Sched {
    clock: u64,
    slice: u64,
    tasks: BTreeMap<Pid, Task>,
    cpus: Vec<Cpu>,
    next_pid: Pid,
    next_turn: u64,
    spawned: u64,
    exited: u64,
    /// Room for those who are about to run, kept so that a tick need not allocate.
    next: Vec<Pid>,
}

impl Sched {
    /// A scheduler of `cpus` CPUs, all online, that gives each task `slice` ticks at a time; at least one of each.
    pub fn new(cpus: usize, slice: u64) -> Self {
        let cpus = cpus.clamp(1, MOST_CPUS);
        let online = || Cpu { online: true, ..Cpu::default() };
        Self {
            slice: slice.max(1),
            cpus: core::iter::repeat_with(online).take(cpus).collect(),
            next_pid: 1,
            next: Vec::with_capacity(cpus),
            ..Self::default()
        }
    }

    /// Makes a task of a level below [`LEVELS`]; a higher one counts as the highest.
    pub fn spawn(&mut self, name: String, level: usize) -> Result<Pid, Refusal> {
        if self.tasks.len() >= MOST_TASKS {
            return Err(Refusal::Full { most: MOST_TASKS });
        }
        let pid = self.next_pid;
        self.next_pid += 1;
        self.spawned += 1;
        let home = self.quietest();
        let task = Task::new(pid, name, level.min(LEVELS - 1), self.clock);
        self.tasks.insert(pid, task);
        self.join(pid, home);
        self.settle();
        Ok(pid)
    }

    /// Takes a task out of the scheduling until [`wake`](Self::wake).
    pub fn block(&mut self, pid: Pid) -> Result<(), Refusal> {
        if self.task(pid)?.state == State::Blocked {
            return Err(Refusal::Blocked { pid });
        }
        self.leave(pid);
        let now = self.clock;
        if let Some(task) = self.tasks.get_mut(&pid) {
            task.enter(State::Blocked, now);
        }
        self.settle();
        Ok(())
    }

    /// Puts a blocked task at the end of the line, with a full slice.
    pub fn wake(&mut self, pid: Pid) -> Result<(), Refusal> {
        let Task { state, home, .. } = *self.task(pid)?;
        if state != State::Blocked {
            return Err(Refusal::NotBlocked { pid, found: state });
        }
        self.join(pid, home);
        self.settle();
        Ok(())
    }

    /// Ends a task and returns its account.
    pub fn exit(&mut self, pid: Pid) -> Result<Task, Refusal> {
        let tasks = self.tasks.len();
        self.task(pid)?;
        self.leave(pid);
        let mut task = self.tasks.remove(&pid).ok_or(Refusal::NoSuchTask { pid, tasks })?;
        task.charge(self.clock);
        self.exited += 1;
        self.settle();
        Ok(task)
    }

    /// Takes a CPU out of use, so that its tasks go to the others, or into use, so that it takes from them.
    ///
    /// Returns whether that changed anything.
    pub fn set_online(&mut self, at: usize, online: bool) -> Result<bool, Refusal> {
        let cpus = self.cpus.len();
        let found = self.cpus.get(at).ok_or(Refusal::NoSuchCpu { cpu: at, cpus })?.online;
        if found == online {
            return Ok(false);
        }
        if !online && self.cpus.iter().filter(|cpu| cpu.online).count() == 1 {
            return Err(Refusal::LastCpu { cpu: at });
        }
        self.cpus[at].online = online;
        if !online {
            let cpu = &mut self.cpus[at];
            cpu.last = None;
            let queue = core::mem::take(&mut cpu.queue);
            let drained: Vec<Pid> = cpu.running.take().into_iter().chain(queue.iter()).collect();
            for pid in drained {
                // Nobody loses a turn because a CPU goes.
                self.put_in_line(pid, at, self.tasks[&pid].turn);
            }
        }
        self.settle();
        Ok(true)
    }

    /// Lets `elapsed` ticks pass. Ticks that were merged are time in which nobody could be preempted: whoever ran
    /// went on, and is charged for it.
    pub fn tick(&mut self, elapsed: u64) {
        if elapsed == 0 {
            return;
        }
        self.clock = self.clock.saturating_add(elapsed);
        for at in 0..self.cpus.len() {
            let cpu = &mut self.cpus[at];
            let Some(pid) = cpu.running else {
                cpu.idle = cpu.idle.saturating_add(if cpu.online { elapsed } else { 0 });
                continue;
            };
            cpu.busy = cpu.busy.saturating_add(elapsed);
            let Some(task) = self.tasks.get_mut(&pid) else { continue };
            task.slice_left = task.slice_left.saturating_sub(elapsed);
            if task.slice_left == 0 {
                cpu.running = None;
                self.next.push(pid);
            }
        }
        // Slices that end together end in the order in which they began. In the order of the CPUs, whoever was on the
        // first one would always be the next again, at the cost of the others.
        let mut ended = core::mem::take(&mut self.next);
        ended.sort_unstable_by_key(|pid| self.tasks[pid].turn);
        for pid in ended.drain(..) {
            self.join(pid, self.tasks[&pid].home);
        }
        self.next = ended;
        self.settle();
    }

    /// The tasks that have not ended, by number, with accounts up to now.
    pub fn tasks(&self) -> impl Iterator<Item = Task> + '_ {
        self.tasks.values().map(|task| {
            let mut task = task.clone();
            task.charge(self.clock);
            task
        })
    }

    /// The CPUs, by number.
    pub fn cpus(&self) -> &[Cpu] {
        &self.cpus
    }

    /// How many ticks have passed.
    pub fn clock(&self) -> u64 {
        self.clock
    }

    /// How long a task may run before it is another's turn, in ticks.
    pub fn slice(&self) -> u64 {
        self.slice
    }

    /// How many tasks were spawned, and how many of them have ended.
    pub fn totals(&self) -> (u64, u64) {
        (self.spawned, self.exited)
    }

    fn task(&self, pid: Pid) -> Result<&Task, Refusal> {
        self.tasks.get(&pid).ok_or(Refusal::NoSuchTask { pid, tasks: self.tasks.len() })
    }

    /// Puts a task at the end of a line, with a full slice.
    fn join(&mut self, pid: Pid, cpu: usize) {
        let turn = self.next_turn;
        self.next_turn += 1;
        self.put_in_line(pid, cpu, turn);
        if let Some(task) = self.tasks.get_mut(&pid) {
            task.slice_left = self.slice;
        }
    }

    /// Takes a task from its CPU or out of its queue.
    fn leave(&mut self, pid: Pid) {
        let task = &self.tasks[&pid];
        match task.state {
            State::Running(at) => {
                let cpu = &mut self.cpus[at];
                (cpu.running, cpu.last) = (None, None);
            }
            State::Ready(at) => self.cpus[at].queue.remove(Place { level: task.level, turn: task.turn }),
            State::Blocked => {}
        }
    }
}
