//! One task: where it is, and how it spent its time.

use alloc::string::String;

/// A task's number.
pub type Pid = u64;

/// How many levels of priority there are; 0 is the lowest.
pub const LEVELS: usize = 3;

/// Where a task is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// It runs on that CPU.
    Running(usize),
    /// It waits in the queue of that CPU.
    Ready(usize),
    /// It waits for something other than a CPU.
    Blocked,
}

/// A task and its account, in ticks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Task {
    /// Its number.
    pub pid: Pid,
    /// Its name.
    pub name: String,
    /// Its level of priority, below [`LEVELS`].
    pub level: usize,
    /// Where it is.
    pub state: State,
    /// The CPU on which it ran last, or in whose queue it is.
    pub home: usize,
    /// Its place in line within its level: a lower one is served first.
    pub turn: u64,
    /// How much of its slice is left.
    pub slice_left: u64,
    /// How long it ran.
    pub run: u64,
    /// How long it was ready and did not run.
    pub waited: u64,
    /// How long it was blocked.
    pub blocked: u64,
    /// How often a CPU turned to it.
    pub switches: u64,
    /// How often that was another CPU than before.
    pub migrations: u64,
    /// When it came to where it is.
    pub(super) since: u64,
}

impl Task {
    /// A task at the start of its account.
    pub(super) fn new(pid: Pid, name: String, level: usize, now: u64) -> Self {
        Self { since: now, ..Self::saved(pid, name, level, State::Blocked, [0; 5]) }
    }

    /// A task with an account: how long it ran, waited and was blocked, its switches and its migrations.
    pub fn saved(pid: Pid, name: String, level: usize, state: State, account: [u64; 5]) -> Self {
        let [run, waited, blocked, switches, migrations] = account;
        let (home, turn, slice_left, since) = (0, 0, 0, 0);
        Self { pid, name, level, state, home, turn, slice_left, run, waited, blocked, switches, migrations, since }
    }

    /// Puts the time since it came to its state into its account.
    pub(super) fn charge(&mut self, now: u64) {
        let spent = now - self.since;
        let account = match self.state {
            State::Running(_) => &mut self.run,
            State::Ready(_) => &mut self.waited,
            State::Blocked => &mut self.blocked,
        };
        *account = account.saturating_add(spent);
        self.since = now;
    }

    /// Goes elsewhere.
    pub(super) fn enter(&mut self, state: State, now: u64) {
        self.charge(now);
        self.state = state;
        if let State::Running(cpu) | State::Ready(cpu) = state {
            self.home = cpu;
        }
    }
}
