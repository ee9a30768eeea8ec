//! Interrupts: what one may do, and how the rest says so instead of hanging.

use core::sync::atomic::{AtomicUsize, Ordering};

/// The function that tells whether the caller is in an interrupt; 0 for none.
static DETECTOR: AtomicUsize = AtomicUsize::new(0);

/// Says how this platform knows that it is in an interrupt. Debug builds ask before they take a lock of the runtime's.
///
/// On Cortex-M that is `IPSR != 0`, on others a counter of the current processor that the interrupt stubs keep.
pub fn detect_with(in_interrupt: fn() -> bool) {
    DETECTOR.store(in_interrupt as usize, Ordering::Release);
}

/// Panics in debug builds when the caller is in an interrupt.
#[inline]
#[track_caller]
pub(crate) fn assert_task_level(what: &str) {
    if cfg!(debug_assertions) && is_active() {
        panic!("{what} was asked for in an interrupt: raise an `IrqLine` there, and let `Runtime::poll` do the rest");
    }
}

fn is_active() -> bool {
    match DETECTOR.load(Ordering::Acquire) {
        0 => false,
        detector => {
            // SAFETY: `detect_with` is the only one that stores here, and it stores a function of this type.
            let in_interrupt = unsafe { core::mem::transmute::<usize, fn() -> bool>(detector) };
            in_interrupt()
        }
    }
}
