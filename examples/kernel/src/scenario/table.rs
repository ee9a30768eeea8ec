//! What calls cost, for the report: in instructions where the machine counts them, else in what the board's clock has.

use core::hint::black_box;
use core::sync::atomic::{AtomicBool, Ordering};

use crate::board;

/// Under `-icount shift=4` an instruction takes that many nanoseconds.
const INSTRUCTION_NS: u64 = 16;

static COUNTED: AtomicBool = AtomicBool::new(false);

/// Says that the board's nanoseconds are instructions.
pub fn time_is_counted() {
    COUNTED.store(true, Ordering::Relaxed);
}

/// Whether they are.
pub fn is_counted() -> bool {
    COUNTED.load(Ordering::Relaxed)
}

/// What costs are given in.
pub fn unit() -> &'static str {
    if is_counted() { "instructions" } else { board::CLOCK_UNIT }
}

/// Nanoseconds of the board's, in that unit.
pub fn cost(nanoseconds: u64) -> u64 {
    if is_counted() { nanoseconds / INSTRUCTION_NS } else { nanoseconds }
}

/// What one of many runs costs, without the loop.
pub fn average<T>(runs: u32, mut run: impl FnMut() -> T) -> u64 {
    let began = board::nanoseconds();
    for _ in 0..runs {
        black_box(run());
    }
    let took = board::nanoseconds() - began;
    let began = board::nanoseconds();
    for _ in 0..runs {
        black_box(());
    }
    let idle = board::nanoseconds() - began;
    cost(took.saturating_sub(idle) / u64::from(runs))
}
