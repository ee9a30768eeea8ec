//! Measures when an interrupt's event arrives, and takes its time over ticks where it is told to.

use core::sync::atomic::{AtomicU32, Ordering};

use helix_runtime::prelude::*;

use crate::kernel::SOFTWARE_LINE;
use crate::{board, irq};

/// When the last interrupt of the kernel's own arrived here, by [`board::nanoseconds`]: its low 32 bits, which is enough
/// for a difference, and a word that every processor can store at once.
pub static ARRIVED: AtomicU32 = AtomicU32::new(0);

/// Looks when events arrive.
// No handler takes `&mut self`, so the module has no lock: what it measures is the way, not the lock at its end.
#[helix_module(name = "probe")]
#[derive(Default)]
pub struct Probe {
    slow_for: AtomicU32,
    interrupts: AtomicU32,
    events: AtomicU32,
}

#[helix_handlers]
impl Probe {
    #[on_event(Interrupt, priority = HIGHEST)]
    pub(crate) fn interrupt(&self, &Interrupt { line, count }: &Interrupt) -> EventResponse {
        if line == SOFTWARE_LINE {
            ARRIVED.store(board::nanoseconds() as u32, Ordering::Relaxed);
            return EventResponse::Handled;
        }
        self.events.store(self.events.load(Ordering::Relaxed) + 1, Ordering::Relaxed);
        self.interrupts.store(self.interrupts.load(Ordering::Relaxed) + count, Ordering::Relaxed);
        // Slower than the interrupts come: until so many more of them have come.
        let (began, slow_for) = (irq::ticks(), self.slow_for.load(Ordering::Relaxed));
        while irq::ticks().wrapping_sub(began) < slow_for {
            core::hint::spin_loop();
        }
        EventResponse::Handled
    }

    /// Has each interrupt of the timer take as long as so many of them, while the timer runs.
    #[on_request]
    pub(crate) fn slow_down(&self, ticks: u32) {
        self.slow_for.store(ticks, Ordering::Relaxed);
    }

    /// How many interrupts there were, and in how many events.
    #[on_request]
    pub(crate) fn heard(&self) -> (u32, u32) {
        (self.interrupts.load(Ordering::Relaxed), self.events.load(Ordering::Relaxed))
    }
}
