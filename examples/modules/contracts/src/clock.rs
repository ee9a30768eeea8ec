//! The time, as ticks count it.

use helix_runtime::prelude::*;

/// What a clock has done so far.
#[helix_message]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ClockStats {
    /// The interrupt line it listens to.
    pub line: u32,
    /// From one interrupt to the next, in microseconds.
    pub period_us: u64,
    /// How many interrupts were raised on its line.
    pub interrupts: u64,
    /// How many ticks it published; fewer than interrupts where some were merged.
    pub ticks: u64,
    /// How many handlers acted on those ticks.
    pub handled: u64,
    /// How many handlers failed or were busy, so that a tick did not reach them.
    pub missed: u64,
}

/// Tells the time since the first tick.
#[helix_service("clock")]
pub trait Clock {
    /// Nanoseconds since the clock's start.
    fn now(&self) -> u64;
    /// What the clock has done so far.
    fn stats(&self) -> ClockStats;
}
