//! What interrupts do: raise a line, push a byte, and no more. The boards call this, and nothing else, from their vectors.

use core::sync::atomic::{AtomicPtr, AtomicU32, Ordering};

use helix_runtime::channel::{Consumer, Producer, spsc};
use helix_runtime::irq::IrqLine;

use crate::lock::Lock;

/// The timer's line.
pub static TIMER: IrqLine = IrqLine::new();
/// The console's line; its bytes come by a ring.
pub static SERIAL: IrqLine = IrqLine::new();
/// The line of the interrupts that the kernel raises itself.
pub static SOFTWARE: IrqLine = IrqLine::new();

/// How many bytes may wait between two rounds of the idle loop.
const KEYS: usize = 64;

static DEPTH: AtomicU32 = AtomicU32::new(0);
static TICKS: AtomicU32 = AtomicU32::new(0);
static PRODUCER: Lock<Option<Producer<u8>>> = Lock::new("the console's ring", None);
static EXTRA: AtomicPtr<()> = AtomicPtr::new(core::ptr::null_mut());

/// Runs an interrupt's handler. Only this processor, at this priority, comes here, so a load and a store will do.
fn enter(handler: impl FnOnce()) {
    let depth = DEPTH.load(Ordering::Relaxed);
    DEPTH.store(depth + 1, Ordering::Relaxed);
    handler();
    DEPTH.store(depth, Ordering::Relaxed);
}

/// Whether the caller is in an interrupt.
pub fn is_active() -> bool {
    DEPTH.load(Ordering::Relaxed) != 0
}

/// The timer has come round.
pub fn timer() {
    enter(|| {
        TICKS.store(TICKS.load(Ordering::Relaxed).wrapping_add(1), Ordering::Relaxed);
        TIMER.raise();
    });
}

/// A byte came from the console.
pub fn serial(byte: u8) {
    enter(|| {
        SERIAL.raise();
        // Nobody else holds the producer once interrupts are enabled.
        if let Some(producer) = PRODUCER.try_lock().as_deref_mut().and_then(Option::as_mut) {
            // A full ring counts what it cannot take.
            let _ = producer.push(byte);
        }
    });
}

/// The kernel has interrupted itself.
pub fn software() {
    enter(|| {
        SOFTWARE.raise();
        let extra = EXTRA.load(Ordering::Acquire);
        if !extra.is_null() {
            // SAFETY: `on_software` is the only one that stores here, and it stores a function of this type.
            let extra = unsafe { core::mem::transmute::<*mut (), fn()>(extra) };
            extra();
        }
    });
}

/// What else is to happen in an interrupt of the kernel's own: scenarios put there what does not belong there.
pub fn on_software(extra: Option<fn()>) {
    EXTRA.store(extra.map_or(core::ptr::null_mut(), |extra| extra as *mut ()), Ordering::Release);
}

/// How often the timer has come round.
pub fn ticks() -> u32 {
    TICKS.load(Ordering::Relaxed)
}

/// The ring by which the console's bytes come, from now on.
pub fn keys() -> Consumer<u8> {
    let (producer, consumer) = spsc(KEYS);
    *PRODUCER.lock() = Some(producer);
    consumer
}
