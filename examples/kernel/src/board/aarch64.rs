//! ARM with 64 bits, as QEMU's `-machine virt` has it, at EL1: GICv2, the generic timer and a PL011 serial port.
//!
//! The memory management unit stays off: the target aligns its accesses and uses no floating point, and QEMU's exclusive
//! accesses work on any memory. A real processor promises them only where memory is cached, and wants its tables first.

use core::arch::asm;
use core::ptr::{read_volatile, write_volatile};
use core::sync::atomic::{AtomicU64, Ordering};

use aarch64_rt::{ExceptionHandlers, RegisterStateRef, entry, exception_handlers};

use super::Fault;
pub use super::semihosting::{command_line, exit};
use crate::irq;
use crate::status::Status;
use crate::stop::stop;

pub const NAME: &str = "aarch64, virt";
pub const CLOCK_UNIT: &str = "nanoseconds";

// https://www.qemu.org/docs/master/system/arm/virt.html and the manuals of the devices: GICv2 (IHI 0048), PL011 (DDI 0183).
const GICD: usize = 0x0800_0000;
const GICD_ENABLE: usize = GICD + 0x100;
const GICD_TARGETS: usize = GICD + 0x800;
const GICD_SOFTWARE: usize = GICD + 0xf00;
const GICD_SOFTWARE_PENDING: usize = GICD + 0xf20;
const GICC: usize = 0x0801_0000;
const GICC_MASK: usize = GICC + 4;
const GICC_ACKNOWLEDGE: usize = GICC + 0xc;
const GICC_END: usize = GICC + 0x10;
const UART: usize = 0x0900_0000;
const UART_FLAGS: usize = UART + 0x18;
const UART_CONTROL: usize = UART + 0x30;
const UART_MASK: usize = UART + 0x38;
const UART_CLEAR: usize = UART + 0x44;

/// In the mask and in what clears.
const RECEIVED: u32 = 0x10;
const SOFTWARE: u32 = 0;
const VIRTUAL_TIMER: u32 = 27;
const SERIAL: u32 = 33;

static PERIOD: AtomicU64 = AtomicU64::new(0);

entry!(start);
fn start(_: u64, _: u64, _: u64, _: u64) -> ! {
    crate::run()
}

fn set(register: usize, value: u32) {
    // SAFETY: the registers are those of this machine, and none makes it write to memory.
    unsafe { write_volatile(register as *mut u32, value) }
}

fn get(register: usize) -> u32 {
    // SAFETY: as above.
    unsafe { read_volatile(register as *mut u32) }
}

fn counter() -> u64 {
    let value;
    // SAFETY: reading it changes nothing.
    unsafe { asm!("isb", "mrs {}, cntvct_el0", out(reg) value, options(nomem, nostack)) };
    value
}

fn frequency() -> u64 {
    let value;
    // SAFETY: as above.
    unsafe { asm!("mrs {}, cntfrq_el0", out(reg) value, options(nomem, nostack)) };
    value
}

pub fn init() {
    for line in [SOFTWARE, VIRTUAL_TIMER, SERIAL] {
        set(GICD_ENABLE + 4 * (line / 32) as usize, 1 << (line % 32));
    }
    set(GICD_TARGETS + (SERIAL & !3) as usize, 1 << (8 * (SERIAL % 4)));
    set(GICC_MASK, 0xff);
    set(GICD, 1);
    set(GICC, 1);
    set(UART_CONTROL, 0x301);
}

pub fn write(bytes: &[u8]) {
    const FULL: u32 = 0x20;
    for byte in bytes {
        while get(UART_FLAGS) & FULL != 0 {}
        set(UART, (*byte).into());
    }
}

pub fn start_timer(hz: u32) {
    let period = frequency() / u64::from(hz);
    PERIOD.store(period, Ordering::Relaxed);
    // SAFETY: the timer interrupts, and nothing else.
    unsafe { asm!("msr cntv_cval_el0, {}", "msr cntv_ctl_el0, {}", in(reg) counter() + period, in(reg) 1_u64) };
}

pub fn stop_timer() {
    // SAFETY: as above.
    unsafe { asm!("msr cntv_ctl_el0, xzr", "isb") };
}

pub fn listen() {
    set(UART_MASK, RECEIVED);
}

pub fn interrupt_self() {
    const ONLY_THIS_PROCESSOR: u32 = 2 << 24;
    set(GICD_SOFTWARE, ONLY_THIS_PROCESSOR | SOFTWARE);
    while get(GICD_SOFTWARE_PENDING) & 0xff != 0 {}
}

pub fn nanoseconds() -> u64 {
    counter() * (1_000_000_000 / frequency())
}

pub fn disable_interrupts() {
    // SAFETY: to be undisturbed harms nobody.
    unsafe { asm!("msr daifset, #2") };
}

pub fn enable_interrupts() {
    // SAFETY: the vectors were set before the kernel came here.
    unsafe { asm!("msr daifclr, #2") };
}

/// A pending interrupt ends `wfi` although interrupts are disabled.
pub fn enable_interrupts_and_wait() {
    // SAFETY: as above.
    unsafe { asm!("wfi", "msr daifclr, #2") };
}

/// Memory is not protected here.
pub fn fault(_: Fault) {}

struct Vectors;

exception_handlers!(Vectors);

impl ExceptionHandlers for Vectors {
    extern "C" fn irq_current(_: RegisterStateRef) {
        let acknowledged = get(GICC_ACKNOWLEDGE);
        match acknowledged & 0x3ff {
            VIRTUAL_TIMER => {
                let next: u64;
                // SAFETY: the timer interrupts, and nothing else.
                unsafe {
                    asm!("mrs {}, cntv_cval_el0", out(reg) next);
                    asm!("msr cntv_cval_el0, {}", in(reg) next + PERIOD.load(Ordering::Relaxed));
                }
                irq::timer();
            }
            SOFTWARE => irq::software(),
            SERIAL => {
                const EMPTY: u32 = 0x10;
                // Before the bytes are read: more may come at once, and their interrupt is another.
                set(UART_CLEAR, RECEIVED);
                while get(UART_FLAGS) & EMPTY == 0 {
                    irq::serial(get(UART) as u8);
                }
            }
            // Somebody else was quicker.
            _ => return,
        }
        set(GICC_END, acknowledged);
    }

    extern "C" fn sync_current(state: RegisterStateRef) {
        let (cause, address): (u64, u64);
        // SAFETY: reading them changes nothing.
        unsafe { asm!("mrs {}, esr_el1", "mrs {}, far_el1", out(reg) cause, out(reg) address) };
        stop(Status::Fault, format_args!("exception {cause:#x} at {:#x}, of address {address:#x}", state.elr))
    }
}
