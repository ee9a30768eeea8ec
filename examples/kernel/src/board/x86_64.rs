//! A PC, as QEMU's `-machine pc` has it: entered by PVH, with a PIC, a PIT and a 16550 serial port.
//!
//! Of all boards this one protects its memory: nothing is mapped at null and below the stack, code cannot be written, data
//! cannot be run, and who tries is named.

mod memory;

use core::arch::{asm, global_asm, naked_asm};
use core::sync::atomic::{AtomicU32, AtomicUsize, Ordering};

use x86_64::VirtAddr;
use x86_64::instructions::interrupts;
use x86_64::instructions::port::Port;
use x86_64::instructions::segmentation::{CS, Segment};
use x86_64::instructions::tables::load_tss;
use x86_64::registers::control::Cr2;
use x86_64::structures::gdt::{Descriptor, GlobalDescriptorTable};
use x86_64::structures::idt::{InterruptDescriptorTable, PageFaultErrorCode};
use x86_64::structures::tss::TaskStateSegment;

use super::{Fault, Once};
use crate::irq;
use crate::status::Status;
use crate::stop::stop;

global_asm!(include_str!("x86_64/start.s"), options(att_syntax));

pub const NAME: &str = "x86_64, a PC";
pub const CLOCK_UNIT: &str = "cycles";

const COM1: u16 = 0x3f8;
const DEBUG_EXIT: u16 = 0xf4;
const PIT_HZ: u32 = 1_193_182;
/// Where the PIC's sixteen lines come in, and after them the interrupt that the kernel raises itself.
const FIRST_VECTOR: u8 = 0x20;
const SOFTWARE_VECTOR: u8 = 0x30;

/// Where hvm_start_info is, as the entry was told.
static START_INFO: AtomicU32 = AtomicU32::new(0);

#[unsafe(no_mangle)]
extern "C" fn x86_64_start(start_info: u32) -> ! {
    START_INFO.store(start_info, Ordering::Relaxed);
    crate::run()
}

pub fn init() {
    // SAFETY: this is called once, before interrupts are enabled and while nothing is mapped but the boot's own pages.
    unsafe {
        memory::protect();
        load_tables();
        program_pic();
    }
    // 115200 baud, 8N1, no FIFO: an interrupt for each byte.
    for (register, value) in [(1, 0), (3, 0x80), (0, 1), (1, 0), (3, 0x03), (2, 0), (4, 0x0b)] {
        out(COM1 + register, value);
    }
}

fn out(port: u16, value: u8) {
    // SAFETY: the ports are those of this machine's devices, none of which writes to memory.
    unsafe { Port::<u8>::new(port).write(value) }
}

fn read(port: u16) -> u8 {
    // SAFETY: as above.
    unsafe { Port::<u8>::new(port).read() }
}

/// Segments, a stack of their own for faults, and the vectors.
///
/// # Safety
/// Interrupts are disabled.
unsafe fn load_tables() {
    const STACK: usize = 16 << 10;
    #[repr(align(16))]
    struct FaultStack(#[expect(dead_code, reason = "only its address is used")] [u8; STACK]);
    static mut FAULT_STACK: FaultStack = FaultStack([0; STACK]);
    static TSS: Once<TaskStateSegment> = Once::new();
    static GDT: Once<GlobalDescriptorTable> = Once::new();
    static IDT: Once<InterruptDescriptorTable> = Once::new();

    let tss = TSS.call_once(|| {
        let mut tss = TaskStateSegment::new();
        tss.interrupt_stack_table[0] = VirtAddr::from_ptr(&raw const FAULT_STACK) + STACK as u64;
        tss
    });
    let (mut code, mut task) = (None, None);
    let gdt = GDT.call_once(|| {
        let mut gdt = GlobalDescriptorTable::new();
        code = Some(gdt.append(Descriptor::kernel_code_segment()));
        task = Some(gdt.append(Descriptor::tss_segment(tss)));
        gdt
    });
    gdt.load();
    let idt = IDT.call_once(|| {
        let mut idt = InterruptDescriptorTable::new();
        // SAFETY: the stubs are made for these vectors, and the stack at that index is there.
        unsafe {
            idt.page_fault.set_handler_addr(VirtAddr::new(page_fault as *const () as u64)).set_stack_index(0);
            idt.double_fault.set_handler_addr(VirtAddr::new(double_fault as *const () as u64)).set_stack_index(0);
            idt.general_protection_fault
                .set_handler_addr(VirtAddr::new(protection as *const () as u64))
                .set_stack_index(0);
            idt.invalid_opcode.set_handler_addr(VirtAddr::new(bad_opcode as *const () as u64)).set_stack_index(0);
            idt.divide_error.set_handler_addr(VirtAddr::new(bad_division as *const () as u64)).set_stack_index(0);
            idt[FIRST_VECTOR].set_handler_addr(VirtAddr::new(timer as *const () as u64));
            idt[FIRST_VECTOR + 4].set_handler_addr(VirtAddr::new(serial as *const () as u64));
            idt[FIRST_VECTOR + 7].set_handler_addr(VirtAddr::new(spurious as *const () as u64));
            idt[SOFTWARE_VECTOR].set_handler_addr(VirtAddr::new(software as *const () as u64));
        }
        idt
    });
    idt.load();
    if let (Some(code), Some(task)) = (code, task) {
        // SAFETY: the selectors are of the table that was just loaded.
        unsafe {
            CS::set_reg(code);
            load_tss(task);
        }
    }
}

/// Both PICs: their lines from `FIRST_VECTOR` on, all of them masked but the second PIC's.
///
/// # Safety
/// Interrupts are disabled.
unsafe fn program_pic() {
    for (port, value) in [
        (0x20, 0x11),
        (0xa0, 0x11),
        (0x21, FIRST_VECTOR),
        (0xa1, FIRST_VECTOR + 8),
        (0x21, 4),
        (0xa1, 2),
        (0x21, 1),
        (0xa1, 1),
        (0x21, 0xfb),
        (0xa1, 0xff),
    ] {
        out(port, value);
    }
}

fn unmask(line: u8) {
    out(0x21, read(0x21) & !(1 << line));
}

fn end_of_interrupt() {
    out(0x20, 0x20);
}

/// What follows the words "hvm_start_info" in memory: see the PVH page that `start.s` names.
#[repr(C)]
struct StartInfo {
    magic: u32,
    version: u32,
    flags: u32,
    modules: u32,
    modules_at: u64,
    command_line_at: u64,
}

pub fn command_line(buffer: &mut [u8]) -> Option<&str> {
    const MAGIC: u32 = 0x336e_c578;
    let info = START_INFO.load(Ordering::Relaxed) as usize as *const StartInfo;
    // SAFETY: the hypervisor has put the structure there, below the first gigabyte, which is mapped.
    let line = unsafe {
        if info.is_null() || (*info).magic != MAGIC {
            return None;
        }
        if (*info).command_line_at == 0 {
            return Some("");
        }
        core::ffi::CStr::from_ptr((*info).command_line_at as *const core::ffi::c_char)
    };
    let copy = buffer.get_mut(..line.count_bytes())?;
    copy.copy_from_slice(line.to_bytes());
    core::str::from_utf8(copy).ok()
}

pub fn write(bytes: &[u8]) {
    const READY: u8 = 0x20;
    for byte in bytes {
        while read(COM1 + 5) & READY == 0 {}
        out(COM1, *byte);
    }
}

pub fn start_timer(hz: u32) {
    let divisor = (PIT_HZ / hz).clamp(2, 0xffff) as u16;
    let [low, high] = divisor.to_le_bytes();
    for (port, value) in [(0x43, 0x34), (0x40, low), (0x40, high)] {
        out(port, value);
    }
    unmask(0);
}

pub fn stop_timer() {
    out(0x21, read(0x21) | 1);
}

pub fn listen() {
    out(COM1 + 1, 1);
    unmask(4);
}

pub fn interrupt_self() {
    // SAFETY: the vector has a stub, which keeps all registers.
    unsafe { asm!("int {vector}", vector = const SOFTWARE_VECTOR) };
}

/// By the processor's time-stamp counter, which QEMU lets count nanoseconds under `-icount`.
pub fn nanoseconds() -> u64 {
    // SAFETY: every x86_64 has the instruction.
    unsafe { core::arch::x86_64::_rdtsc() }
}

pub fn disable_interrupts() {
    interrupts::disable();
}

pub fn enable_interrupts() {
    interrupts::enable();
}

pub fn enable_interrupts_and_wait() {
    interrupts::enable_and_hlt();
}

/// By QEMU's `isa-debug-exit`, which ends with twice the value and one.
pub fn exit(status: Status) -> ! {
    out(DEBUG_EXIT, status.code() >> 1);
    loop {
        x86_64::instructions::hlt();
    }
}

/// Does what no kernel should.
pub fn fault(fault: Fault) {
    /// `ret`, in memory that may be written to.
    static RETURN: AtomicUsize = AtomicUsize::new(0xc3);
    let run = |at: usize| {
        // SAFETY: it is none: that is what is shown.
        unsafe { asm!("call {0}", in(reg) at) };
    };
    match fault {
        Fault::Stack => drop(overflow(0)),
        // SAFETY: it is none: that is what is shown.
        Fault::Null => unsafe {
            asm!("mov {0}, [{0}]", inout(reg) 8_usize => _);
        },
        // SAFETY: as above.
        Fault::Code => unsafe {
            asm!("mov byte ptr [{0}], 0", in(reg) memory::code());
        },
        // SAFETY: as above.
        Fault::Constant => unsafe {
            asm!("mov byte ptr [{0}], 0", in(reg) NAME.as_ptr());
        },
        Fault::Data => run(RETURN.as_ptr() as usize),
        Fault::RunStack => run(core::ptr::from_ref(&core::hint::black_box([0xc3_u8; 2])) as usize),
        Fault::RunHeap => run(alloc::vec![0xc3_u8; 2].as_ptr() as usize),
    }
}

#[expect(unconditional_recursion, reason = "that is what is shown")]
fn overflow(depth: u64) -> u64 {
    let frame = core::hint::black_box([depth; 64]);
    overflow(depth + 1) + frame[0]
}

/// A stub around a handler that returns to what was interrupted.
macro_rules! interrupt_stub {
    ($stub:ident => $handler:ident) => {
        #[unsafe(naked)]
        extern "C" fn $stub() {
            // The processor has aligned the stack and pushed five words; nine more align it for a call.
            naked_asm!(
                "push rax", "push rcx", "push rdx", "push rsi", "push rdi", "push r8", "push r9", "push r10", "push r11",
                "cld",
                "call {handler}",
                "pop r11", "pop r10", "pop r9", "pop r8", "pop rdi", "pop rsi", "pop rdx", "pop rcx", "pop rax",
                "iretq",
                handler = sym $handler,
            )
        }
    };
}

interrupt_stub!(timer => on_timer);
interrupt_stub!(serial => on_serial);
interrupt_stub!(software => on_software);
interrupt_stub!(spurious => on_spurious);

extern "C" fn on_timer() {
    irq::timer();
    end_of_interrupt();
}

extern "C" fn on_serial() {
    while read(COM1 + 5) & 1 != 0 {
        irq::serial(read(COM1));
    }
    end_of_interrupt();
}

extern "C" fn on_software() {
    irq::software();
}

/// The PIC's own, when a line falls back before it was looked at. It is not acknowledged.
extern "C" fn on_spurious() {}

/// A stub for a fault, from which nobody returns. `$code` is whether the processor has pushed an error code.
macro_rules! fault_stub {
    ($stub:ident, $code:literal, $what:literal) => {
        #[unsafe(naked)]
        extern "C" fn $stub() -> ! {
            extern "C" fn handler(frame: *const u64) -> ! {
                faulted($what, frame, $code)
            }
            naked_asm!("mov rdi, rsp", "and rsp, -16", "cld", "call {handler}", "ud2", handler = sym handler)
        }
    };
}

fault_stub!(page_fault, true, "a page fault");
fault_stub!(double_fault, true, "a double fault");
fault_stub!(protection, true, "a protection fault");
fault_stub!(bad_opcode, false, "an instruction that is none");
fault_stub!(bad_division, false, "a division that has no result");

fn faulted(what: &str, frame: *const u64, has_code: bool) -> ! {
    // SAFETY: the processor has pushed the code, if it has one, and the address of the instruction.
    let (code, at) = unsafe { if has_code { (*frame, *frame.add(1)) } else { (0, *frame) } };
    if what != "a page fault" {
        stop(Status::Fault, format_args!("{what} at {at:#x}"));
    }
    let what = memory::what_was_tried(PageFaultErrorCode::from_bits_truncate(code), Cr2::read_raw() as usize);
    stop(Status::Fault, format_args!("{what}: a page fault"));
}
