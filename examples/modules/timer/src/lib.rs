//! Turns the interrupts of one line into ticks.
//!
//! It does not know what raises the line: a thread with a clock in a program, a hardware timer in a kernel.
#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;

use core::sync::atomic::Ordering::Relaxed;

use demo_contracts::{Clock, ClockStats};
use helix_runtime::prelude::*;
// A 32-bit processor has no 64-bit atomics of its own, and 32 bits of milliseconds are gone after 49 days.
use portable_atomic::AtomicU64;

/// The longest period: at one tick a second nothing is scheduled any more.
const LONGEST_US: u64 = 1_000_000;

/// Turns the clock's interrupts into ticks and tells the time.
// No handler takes `&mut self`, so the module has no lock: whoever hears a tick may ask for the time while this
// module is still publishing it.
#[helix_module(name = "timer", provides = [Clock], flags = ESSENTIAL | DRIVER)]
#[derive(Debug, Default)]
pub struct Timer {
    /// The interrupt line of the clock.
    #[config(default = 0)]
    line: u32,
    /// From one interrupt to the next, in microseconds.
    #[config(default = 1000)]
    period_us: u64,
    interrupts: AtomicU64,
    ticks: AtomicU64,
    handled: AtomicU64,
    missed: AtomicU64,
}

#[helix_handlers]
impl Timer {
    #[on_init]
    fn init(&mut self) -> Result<(), ModuleError> {
        if (1..=LONGEST_US).contains(&self.period_us) {
            return Ok(());
        }
        let expected = alloc::format!("a whole number from 1 to {LONGEST_US}");
        Err(ModuleError::config("period_us", self.period_us, expected))
    }

    /// Whether every tick has reached everyone.
    #[on_health]
    fn healthy(&self) -> bool {
        self.missed.load(Relaxed) == 0
    }

    // Before those who only watch interrupts, so that the time is right when they ask for it.
    #[on_event(Interrupt, priority = HIGH)]
    fn interrupt(&self, interrupt: &Interrupt, ctx: &Context) -> EventResponse {
        if interrupt.line != self.line || interrupt.count == 0 {
            return EventResponse::Ignored;
        }
        let raised = u64::from(interrupt.count);
        let tick_number = self.interrupts.fetch_add(raised, Relaxed) + raised;
        let tick = Tick { timestamp_ns: self.at(tick_number), tick_number };
        self.ticks.fetch_add(1, Relaxed);
        let result = ctx.publish(&tick);
        self.handled.fetch_add(result.handled.into(), Relaxed);
        self.missed.fetch_add(u64::from(result.failed) + u64::from(result.dropped), Relaxed);
        EventResponse::Handled
    }
}

impl Timer {
    fn at(&self, tick_number: u64) -> u64 {
        tick_number.saturating_mul(self.period_us).saturating_mul(1000)
    }
}

impl Clock for Timer {
    fn now(&self) -> u64 {
        self.at(self.interrupts.load(Relaxed))
    }

    fn stats(&self) -> ClockStats {
        ClockStats {
            line: self.line,
            period_us: self.period_us,
            interrupts: self.interrupts.load(Relaxed),
            ticks: self.ticks.load(Relaxed),
            handled: self.handled.load(Relaxed),
            missed: self.missed.load(Relaxed),
        }
    }
}
