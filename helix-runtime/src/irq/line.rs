//! A line that an interrupt raises and a task takes: two counters, each with one writer, and no read-modify-write.

use crate::sync::{AtomicU32, Ordering};

/// What an interrupt raises, for a task to take later: it counts, so that raising twice is not taken for once.
///
/// It has one raiser (one interrupt, on one core, at one priority: what may interrupt its own raising would undo it) and
/// one taker. Give a second raiser a line of its own.
///
/// ```
/// use helix_runtime::irq::IrqLine;
///
/// static TIMER: IrqLine = IrqLine::new();
///
/// fn timer_interrupt() {
///     TIMER.raise();
/// }
///
/// timer_interrupt();
/// timer_interrupt();
/// assert!(TIMER.is_raised());
/// assert_eq!(TIMER.take(), 2);
/// assert_eq!(TIMER.take(), 0);
/// ```
#[derive(Debug)]
pub struct IrqLine {
    /// Written by the raiser alone.
    pub(super) raised: AtomicU32,
    /// Written by the taker alone.
    pub(super) taken: AtomicU32,
}

impl IrqLine {
    /// Raises the line: a load and a store, so it may be called in an interrupt.
    ///
    /// What the interrupt wrote before is seen by the one who takes.
    #[inline]
    pub fn raise(&self) {
        let raised = self.raised.load(Ordering::Relaxed);
        self.raised.store(raised.wrapping_add(1), Ordering::Release);
    }

    /// How often the line was raised since the last call of this.
    ///
    /// The count is exact as long as fewer than 2^32 have gathered. Two takers at once may both get the same raises.
    #[inline]
    pub fn take(&self) -> u32 {
        let raised = self.raised.load(Ordering::Acquire);
        let taken = self.taken.load(Ordering::Relaxed);
        self.taken.store(raised, Ordering::Relaxed);
        raised.wrapping_sub(taken)
    }

    /// How often the line was raised since it was last taken, and leaves it so.
    #[inline]
    pub fn pending(&self) -> u32 {
        self.raised.load(Ordering::Acquire).wrapping_sub(self.taken.load(Ordering::Relaxed))
    }

    /// Whether there is anything to [take](Self::take): what an idle loop asks, with interrupts disabled, before it waits.
    #[inline]
    pub fn is_raised(&self) -> bool {
        self.pending() != 0
    }
}
