//! One CPU: what it runs, who waits for it, and how it spent its time.

use super::queue::Queue;
use super::task::Pid;

/// A CPU and its account, in ticks.
#[derive(Debug, Clone, Default)]
pub struct Cpu {
    /// Whether it can be used.
    pub online: bool,
    /// The task that it runs.
    pub running: Option<Pid>,
    /// The tasks that wait for it.
    pub queue: Queue,
    /// How long it ran tasks.
    pub busy: u64,
    /// How long it was online with nothing to run.
    pub idle: u64,
    /// How often it turned to another task than before.
    pub switches: u64,
    /// How many tasks it took from the queues of others.
    pub steals: u64,
    /// Whom it ran last without a pause, so that going on with the same task is no switch.
    pub(super) last: Option<Pid>,
}

impl Cpu {
    /// Whether it could run a task and runs none.
    pub fn is_idle(&self) -> bool {
        self.online && self.running.is_none()
    }

    /// How many tasks it has.
    pub(super) fn load(&self) -> usize {
        self.queue.len() + usize::from(self.running.is_some())
    }
}
