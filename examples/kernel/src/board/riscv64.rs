//! RISC-V, as QEMU's `-machine virt` has it, in machine mode: CLINT, PLIC and a 16550 serial port.
//!
//! The trap's entry saves no floating point registers: what interrupts do must not use any.

use core::ptr::{read_volatile, write_volatile};
use core::sync::atomic::{AtomicU64, Ordering};

use riscv::interrupt::Interrupt;
use riscv::register::{mcause, mcycle, mepc, mie, mtval};
use riscv_rt::{core_interrupt, entry};

use super::Fault;
pub use super::semihosting::{command_line, exit};
use crate::irq;
use crate::status::Status;
use crate::stop::stop;

pub const NAME: &str = "riscv64, virt";
pub const CLOCK_UNIT: &str = "cycles";

// https://www.qemu.org/docs/master/system/riscv/virt.html
const MSIP: *mut u32 = 0x0200_0000 as *mut u32;
const MTIMECMP: *mut u64 = 0x0200_4000 as *mut u64;
const MTIME: *mut u64 = 0x0200_bff8 as *mut u64;
const MTIME_HZ: u64 = 10_000_000;
const PLIC_PRIORITY: *mut u32 = 0x0c00_0000 as *mut u32;
const PLIC_ENABLE: *mut u32 = 0x0c00_2000 as *mut u32;
const PLIC_THRESHOLD: *mut u32 = 0x0c20_0000 as *mut u32;
const PLIC_CLAIM: *mut u32 = 0x0c20_0004 as *mut u32;
const UART: *mut u8 = 0x1000_0000 as *mut u8;
const UART_LINE: u32 = 10;

static PERIOD: AtomicU64 = AtomicU64::new(0);

#[entry]
fn start() -> ! {
    crate::run()
}

fn set<T>(register: *mut T, value: T) {
    // SAFETY: the registers are those of this machine, and none makes it write to memory.
    unsafe { write_volatile(register, value) }
}

fn get<T>(register: *mut T) -> T {
    // SAFETY: as above.
    unsafe { read_volatile(register) }
}

fn uart(register: usize) -> *mut u8 {
    UART.wrapping_add(register)
}

pub fn init() {
    set(MSIP, 0);
    set(PLIC_PRIORITY.wrapping_add(UART_LINE as usize), 1);
    set(PLIC_THRESHOLD, 0);
    set(PLIC_ENABLE, 1 << UART_LINE);
    // SAFETY: both have handlers, and nothing comes before interrupts are enabled as a whole.
    unsafe {
        mie::set_msoft();
        mie::set_mext();
    }
}

pub fn write(bytes: &[u8]) {
    const READY: u8 = 0x20;
    for byte in bytes {
        while get(uart(5)) & READY == 0 {}
        set(UART, *byte);
    }
}

pub fn start_timer(hz: u32) {
    let period = MTIME_HZ / u64::from(hz);
    PERIOD.store(period, Ordering::Relaxed);
    set(MTIMECMP, get(MTIME) + period);
    // SAFETY: it has a handler, and this is no critical section.
    unsafe { mie::set_mtimer() };
}

pub fn stop_timer() {
    // SAFETY: to be undisturbed harms nobody.
    unsafe { mie::clear_mtimer() };
}

pub fn listen() {
    set(uart(1), 1);
}

pub fn interrupt_self() {
    set(MSIP, 1);
    while get(MSIP) != 0 {}
}

/// By the cycle counter, which QEMU lets count nanoseconds under `-icount`.
pub fn nanoseconds() -> u64 {
    mcycle::read() as u64
}

pub fn disable_interrupts() {
    riscv::interrupt::disable();
}

pub fn enable_interrupts() {
    // SAFETY: this is task level, which no critical section of another's surrounds.
    unsafe { riscv::interrupt::enable() };
}

/// A pending interrupt ends `wfi` although interrupts are disabled.
pub fn enable_interrupts_and_wait() {
    riscv::asm::wfi();
    enable_interrupts();
}

/// Memory is not protected here.
pub fn fault(_: Fault) {}

#[core_interrupt(Interrupt::MachineTimer)]
fn on_timer() {
    set(MTIMECMP, get(MTIMECMP) + PERIOD.load(Ordering::Relaxed));
    irq::timer();
}

#[core_interrupt(Interrupt::MachineSoft)]
fn on_software() {
    set(MSIP, 0);
    irq::software();
}

#[core_interrupt(Interrupt::MachineExternal)]
fn on_external() {
    let line = get(PLIC_CLAIM);
    while line == UART_LINE && get(uart(5)) & 1 != 0 {
        irq::serial(get(UART));
    }
    set(PLIC_CLAIM, line);
}

#[unsafe(export_name = "ExceptionHandler")]
fn on_exception(_: &riscv_rt::TrapFrame) -> ! {
    let (cause, at, value) = (mcause::read().code(), mepc::read(), mtval::read());
    stop(Status::Fault, format_args!("exception {cause} at {at:#x}, with {value:#x}"))
}
