//! Interrupts: what one may do, and how the rest says so instead of hanging.
//!
//! An interrupt handler runs in the middle of anything: of the allocator, of a lock, of a table that is half written. So
//! it does two things only, each a load and a store, and what follows from them is done later, at task level.
//!
//! # What may be called where
//!
//! | call | in an interrupt | at task level |
//! |---|---|---|
//! | [`IrqLine::raise`] | yes, by its one raiser | yes, by its one raiser |
//! | [`Producer::push`](crate::channel::Producer::push) | yes: the producer belongs to it | yes |
//! | [`IrqLine::take`] | no, there is one taker | yes |
//! | [`IrqLine::pending`], [`IrqLine::is_raised`], [`is_active`] | yes | yes |
//! | [`Consumer`](crate::channel::Consumer), [`Sender`](crate::channel::Sender), [`Receiver`](crate::channel::Receiver) | no | yes |
//! | a drop of any end of a channel | no: it may free | yes |
//! | [`Runtime`](crate::Runtime), [`Context`](crate::Context), [`Handle`](crate::Handle) | no | yes |
//!
//! The types keep to it: a handler is given a `&'static IrqLine` and a `Producer`, and those offer nothing else. Whatever
//! else is called there may find a lock held by the very code that it interrupted, and would wait for ever. It panics with
//! the reason instead, on platforms that have said [how an interrupt is told](detect_with): in every build without `std`,
//! and in debug builds with it.
//!
//! # Idle, with no wake-up lost
//!
//! An idle loop that looks for work, finds none and then waits has lost the interrupt that came between the two. So it
//! looks with interrupts disabled, and enables them and waits in one step:
//!
//! ```text
//! loop {
//!     runtime.poll(now());
//!     interrupts::disable();
//!     if TIMER.is_raised() {         // or any other line, or work of another kind
//!         interrupts::enable();
//!     } else {
//!         interrupts::enable_and_wait();
//!     }
//! }
//! ```
//!
//! | platform | enable and wait in one step |
//! |---|---|
//! | x86_64 | `sti; hlt`: `sti` takes effect after the next instruction |
//! | Cortex-M | `wfi; cpsie i`: a pending interrupt ends `wfi` even while `PRIMASK` holds it back |
//! | aarch64 | `wfi`, then unmask: as above |
//! | RISC-V | `wfi`, then set `mstatus.MIE`: as above |
//! | Linux, signals | `sigsuspend` with the signal unblocked |
//!
//! To disable interrupts reaches the own core only: a raiser on another core has to send an interrupt after it has raised.
//!
//! # Where there is no compare-and-swap
//!
//! On targets without it (thumbv6m, riscv32imc) this module is all that the crate offers.

mod line;

use core::ptr::null_mut;
use core::sync::atomic::{AtomicPtr, Ordering};

pub use line::IrqLine;

// The constructor is here because it is const, which loom's atomics are not: `line.rs` is run under loom.
impl IrqLine {
    /// A line that is not raised.
    #[must_use]
    pub const fn new() -> Self {
        use crate::sync::AtomicU32;
        Self { raised: AtomicU32::new(0), taken: AtomicU32::new(0) }
    }
}

impl Default for IrqLine {
    fn default() -> Self {
        Self::new()
    }
}

/// The function that tells whether the caller is in an interrupt; null for none.
static DETECTOR: AtomicPtr<()> = AtomicPtr::new(null_mut());

/// Says how this platform knows that it is in an interrupt. The runtime asks before it publishes, calls or takes a lock of
/// its own: without `std` always, with it in debug builds.
///
/// On Cortex-M that is `IPSR != 0`, on others a counter of the current processor that the interrupt stubs keep.
///
/// ```
/// use core::sync::atomic::{AtomicU32, Ordering};
/// use helix_runtime::irq;
///
/// static DEPTH: AtomicU32 = AtomicU32::new(0);
///
/// irq::detect_with(|| DEPTH.load(Ordering::Relaxed) != 0);
/// assert!(!irq::is_active());
/// ```
pub fn detect_with(in_interrupt: fn() -> bool) {
    DETECTOR.store(in_interrupt as *mut (), Ordering::Release);
}

/// Panics when the caller is in an interrupt: always without `std`, where it would hang; with it in debug builds.
#[cfg(target_has_atomic = "ptr")]
#[inline]
#[track_caller]
pub(crate) fn assert_task_level(what: &str) {
    if cfg!(any(debug_assertions, not(feature = "std"))) && is_active() {
        panic!("{what} was asked for in an interrupt: raise an `IrqLine` there, and let `Runtime::poll` do the rest");
    }
}

/// Whether the caller is in an interrupt, as far as the platform [has said](detect_with); `false` where it has not.
///
/// ```
/// assert!(!helix_runtime::irq::is_active());
/// ```
#[must_use]
pub fn is_active() -> bool {
    let detector = DETECTOR.load(Ordering::Acquire);
    if detector.is_null() {
        return false;
    }
    // SAFETY: `detect_with` is the only one that stores here, and it stores a function of this type.
    let in_interrupt = unsafe { core::mem::transmute::<*mut (), fn() -> bool>(detector) };
    in_interrupt()
}
