//! A Cortex-M4, as QEMU's `-machine mps2-an386` has it: 32 bits, no 64-bit atomics; NVIC, SysTick, and ARM's small UART.

use core::ptr::{read_volatile, write_volatile};

use cortex_m::peripheral::syst::SystClkSource;
use cortex_m::peripheral::{Peripherals, SCB, SYST};
use cortex_m_rt::{ExceptionFrame, entry, exception};

use super::Fault;
pub use super::semihosting::{command_line, exit};
use crate::irq;
use crate::status::Status;
use crate::stop::stop;

pub const NAME: &str = "Cortex-M4, mps2-an386";
pub const CLOCK_UNIT: &str = "nanoseconds";

// ARM's Cortex-M System Design Kit (DDI 0479): its timer and its UART, on the AN386 image's addresses (DAI 0386).
const TIMER_CONTROL: *mut u32 = 0x4000_0000 as *mut u32;
const TIMER_VALUE: *mut u32 = 0x4000_0004 as *mut u32;
const TIMER_RELOAD: *mut u32 = 0x4000_0008 as *mut u32;
const UART: *mut u32 = 0x4000_4000 as *mut u32;
const UART_STATE: *mut u32 = 0x4000_4004 as *mut u32;
const UART_CONTROL: *mut u32 = 0x4000_4008 as *mut u32;
const UART_CLEAR: *mut u32 = 0x4000_400c as *mut u32;
const UART_DIVISOR: *mut u32 = 0x4000_4010 as *mut u32;
const UART_RECEIVED: i16 = 0;
const CLOCK_HZ: u32 = 25_000_000;

#[entry]
fn start() -> ! {
    crate::run()
}

fn set(register: *mut u32, value: u32) {
    // SAFETY: the registers are those of this machine, and none makes it write to memory.
    unsafe { write_volatile(register, value) }
}

fn get(register: *mut u32) -> u32 {
    // SAFETY: as above.
    unsafe { read_volatile(register) }
}

pub fn init() {
    disable_interrupts();
    set(UART_DIVISOR, 16);
    // Both ways; a byte that comes before somebody listens waits in the device.
    set(UART_CONTROL, 0b11);
    // It counts down all the time, for `nanoseconds`.
    set(TIMER_RELOAD, u32::MAX);
    set(TIMER_VALUE, u32::MAX);
    set(TIMER_CONTROL, 1);
}

pub fn write(bytes: &[u8]) {
    const FULL: u32 = 1;
    for byte in bytes {
        while get(UART_STATE) & FULL != 0 {}
        set(UART, (*byte).into());
    }
}

fn systick() -> SYST {
    // SAFETY: it is used here alone, and not in interrupts.
    unsafe { Peripherals::steal() }.SYST
}

pub fn start_timer(hz: u32) {
    let mut systick = systick();
    systick.set_clock_source(SystClkSource::Core);
    systick.set_reload(CLOCK_HZ / hz - 1);
    systick.clear_current();
    systick.enable_interrupt();
    systick.enable_counter();
}

pub fn stop_timer() {
    let mut systick = systick();
    systick.disable_interrupt();
    systick.disable_counter();
}

pub fn listen() {
    const WITH_INTERRUPT: u32 = 0b1011;
    set(UART_CONTROL, WITH_INTERRUPT);
    let nvic = cortex_m::peripheral::NVIC::PTR;
    // SAFETY: the interrupt's handler is there. It is also raised by hand, for the byte that waits.
    unsafe {
        (*nvic).iser[0].write(1 << UART_RECEIVED);
        (*nvic).ispr[0].write(1 << UART_RECEIVED);
    }
}

pub fn interrupt_self() {
    SCB::set_pendsv();
    cortex_m::asm::dsb();
    cortex_m::asm::isb();
}

/// It comes round after 171 seconds.
pub fn nanoseconds() -> u64 {
    u64::from(!get(TIMER_VALUE)) * u64::from(1_000_000_000 / CLOCK_HZ)
}

pub fn disable_interrupts() {
    cortex_m::interrupt::disable();
}

pub fn enable_interrupts() {
    // SAFETY: this is task level, which no critical section of another's surrounds.
    unsafe { cortex_m::interrupt::enable() };
}

/// To return from an interrupt is an event, so one that comes between the two ends the wait. It is `wfe` because QEMU 7.2
/// lets twice the time pass in `wfi` under `-icount sleep=off` on this machine.
pub fn enable_interrupts_and_wait() {
    enable_interrupts();
    cortex_m::asm::wfe();
}

/// Memory is not protected here.
pub fn fault(_: Fault) {}

#[exception]
fn SysTick() {
    irq::timer();
}

#[exception]
fn PendSV() {
    irq::software();
}

#[exception]
unsafe fn DefaultHandler(line: i16) {
    const RECEIVED: u32 = 2;
    if line != UART_RECEIVED {
        stop(Status::Fault, format_args!("interrupt {line}, which nobody has asked for"));
    }
    // Before the byte is read: the next one may come at once, and its interrupt is another.
    set(UART_CLEAR, RECEIVED);
    while get(UART_STATE) & RECEIVED != 0 {
        irq::serial(get(UART) as u8);
    }
}

#[exception]
unsafe fn HardFault(frame: &ExceptionFrame) -> ! {
    stop(Status::Fault, format_args!("a hard fault at {:#x}", frame.pc()))
}
