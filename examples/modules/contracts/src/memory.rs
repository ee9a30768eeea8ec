//! What is done about scarce memory.

use alloc::vec::Vec;

use helix_runtime::prelude::*;

/// What was done about memory pressure.
#[helix_message]
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MemoryReport {
    /// The level that was heard last.
    pub level: PressureLevel,
    /// How often the level changed.
    pub changes: u64,
    /// How many journal entries were given back.
    pub entries_freed: u64,
    /// The tasks that are blocked at present because memory is scarce.
    pub parked: Vec<u64>,
    /// How many tasks were blocked so far.
    pub tasks_parked: u64,
    /// How many of them were woken again.
    pub tasks_woken: u64,
    /// How many tasks were no longer there to be woken, or had been woken by another.
    pub tasks_gone: u64,
}

/// Watches over memory.
#[helix_service("memory")]
pub trait Memory {
    /// What was done so far.
    fn report(&self) -> MemoryReport;
}
