//! An idle loop as `irq` describes it sleeps through no interrupt, wherever between its steps that comes.
#![cfg(all(target_os = "linux", not(miri)))]
#![allow(missing_docs)]

mod signal;

use std::ffi::c_int;
use std::time::Duration;

use helix_runtime::irq::IrqLine;
use signal::{Disabled, Timer, interrupt_now, within};

static LINE: IrqLine = IrqLine::new();

extern "C" fn interrupt(_: c_int) {
    LINE.raise();
}

/// The loop's one turn: waits unless there is something to do.
fn idle(between: impl FnOnce()) {
    let disabled = Disabled::new();
    if !LINE.is_raised() {
        between();
        disabled.enable_and_wait();
    }
}

#[test]
fn no_interrupt_is_slept_through() {
    within(Duration::from_secs(100), || {
        let timer = Timer::new(interrupt);
        let mut waits = 0;
        for round in 0..5_000_u32 {
            // A single interrupt, at a time that moves over the loop's steps: slept through once, it is awaited for ever.
            timer.arm(Duration::from_nanos(u64::from(1 + round % 997 * 13)), Duration::ZERO);
            while LINE.take() == 0 {
                idle(|| waits += 1);
            }
        }
        assert!(waits > 0, "not one came after the look");

        // And each of these in the very gap.
        for _ in 0..5_000 {
            idle(interrupt_now);
            assert_eq!(LINE.take(), 1);
        }
    });
}
