//! What calls cost, for the report.

use core::hint::black_box;

use crate::board;

/// Under `-icount shift=4` an instruction takes that many nanoseconds.
pub const INSTRUCTION_NS: u64 = 16;

/// How long one of many runs takes, in nanoseconds, without the loop.
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
    took.saturating_sub(idle) / u64::from(runs)
}
