//! What the demo's modules ask of each other: types and traits, no logic.
//!
//! A module depends on this crate and never on the crate of another module, so that each of them can be replaced.
#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;

mod clock;
mod journal;
mod memory;
mod scheduler;

pub use clock::{Clock, ClockClient, ClockStats};
pub use journal::{Entry, EventCount, Journal, JournalClient, JournalError, JournalStats};
pub use memory::{Memory, MemoryClient, MemoryReport};
pub use scheduler::{
    CpuInfo, Priority, Scheduler, SchedulerClient, SchedulerError, SchedulerStats, TaskInfo, TaskState,
};
