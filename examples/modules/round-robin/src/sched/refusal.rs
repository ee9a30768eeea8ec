//! Why the scheduler does not do what it is asked for.

use super::task::{Pid, State};

/// What was found, and what was expected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    /// There is no such task.
    NoSuchTask {
        /// The number that was asked for.
        pid: Pid,
        /// How many tasks there are.
        tasks: usize,
    },
    /// The task is blocked already.
    Blocked {
        /// The task.
        pid: Pid,
    },
    /// The task is not blocked.
    NotBlocked {
        /// The task.
        pid: Pid,
        /// Where it is.
        found: State,
    },
    /// There are as many tasks as there can be.
    Full {
        /// How many that is.
        most: usize,
    },
    /// There is no such CPU.
    NoSuchCpu {
        /// The number that was asked for.
        cpu: usize,
        /// How many there are.
        cpus: usize,
    },
    /// The only CPU that is online cannot go.
    LastCpu {
        /// Which one.
        cpu: usize,
    },
    /// A saved account that contradicts itself.
    Inconsistent(&'static str),
}
