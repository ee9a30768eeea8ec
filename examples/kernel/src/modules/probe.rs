//! Measures when an interrupt's event arrives, and takes its time over ticks where it is told to.

use core::sync::atomic::{AtomicU32, Ordering};

use helix_runtime::prelude::*;

use crate::kernel::SOFTWARE_LINE;
use crate::{board, irq};

/// When the last interrupt of the kernel's own arrived here, by [`board::nanoseconds`]: its low 32 bits, which is enough
/// for a difference, and a word that every processor can store at once.
pub static ARRIVED: AtomicU32 = AtomicU32::new(0);

/// Looks when events arrive.
#[helix_module(name = "probe")]
#[derive(Default)]
pub struct Probe {
    slow_for: u32,
    interrupts: u64,
    events: u64,
}

#[helix_handlers]
impl Probe {
    #[on_event(Interrupt, priority = HIGHEST)]
    fn interrupt(&mut self, &Interrupt { line, count }: &Interrupt) -> EventResponse {
        if line == SOFTWARE_LINE {
            ARRIVED.store(board::nanoseconds() as u32, Ordering::Relaxed);
            return EventResponse::Handled;
        }
        self.events += 1;
        self.interrupts += u64::from(count);
        // Slower than the interrupts come: until so many more of them have come.
        let began = irq::ticks();
        while irq::ticks().wrapping_sub(began) < self.slow_for {
            core::hint::spin_loop();
        }
        EventResponse::Handled
    }

    /// Has each interrupt of the timer take as long as so many of them.
    #[on_request]
    fn slow_down(&mut self, ticks: u32) {
        (self.slow_for, self.interrupts, self.events) = (ticks, 0, 0);
    }

    /// How many interrupts there were since then, and in how many events.
    #[on_request]
    fn heard(&self) -> (u64, u64) {
        (self.interrupts, self.events)
    }
}
