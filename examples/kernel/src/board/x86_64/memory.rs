//! Which page of the image may be read, written and run, and what somebody has tried who was not allowed to.

use core::cell::UnsafeCell;
use core::ops::Range;
use core::ptr::addr_of;

use x86_64::instructions::tlb;
use x86_64::structures::idt::PageFaultErrorCode;
use x86_64::structures::paging::PageTableFlags as Flags;

const PAGE: usize = 4096;
/// How much of the memory has pages of 4 KiB: the image lies in it.
const FINE: usize = 16 << 20;

// SAFETY: the linker's script and `start.s` define each of them, the table with that size.
unsafe extern "C" {
    static text_start: u8;
    static text_end: u8;
    static rodata_end: u8;
    static stack_guard: u8;
    static mut boot_pd: [u64; 512];
}

fn address(symbol: *const u8) -> usize {
    symbol as usize
}

fn text() -> Range<usize> {
    address(addr_of!(text_start))..address(addr_of!(text_end))
}

fn guard() -> Range<usize> {
    let start = address(addr_of!(stack_guard));
    start..start + PAGE
}

fn constants_end() -> usize {
    address(addr_of!(rodata_end))
}

/// Where the code begins.
pub fn code() -> usize {
    text().start
}

/// Gives each page of the image its rights, and takes all from the null page and the one below the stack.
///
/// # Safety
/// Nobody else changes the page tables.
pub unsafe fn protect() {
    static FINE_PAGES: [Table; FINE / (512 * PAGE)] = [const { Table::new() }; FINE / (512 * PAGE)];
    let (text, data) = (text(), constants_end());
    let directory = &raw mut boot_pd;
    for (at, table) in FINE_PAGES.iter().enumerate() {
        for nth in 0..512 {
            let page = (at * 512 + nth) * PAGE;
            let rights = match page {
                0 => Flags::empty(),
                _ if guard().contains(&page) => Flags::empty(),
                _ if text.contains(&page) => Flags::PRESENT,
                _ if (text.end..data).contains(&page) => Flags::PRESENT | Flags::NO_EXECUTE,
                _ => Flags::PRESENT | Flags::WRITABLE | Flags::NO_EXECUTE,
            };
            table.set(nth, page as u64 | rights.bits());
        }
        let rights = Flags::PRESENT | Flags::WRITABLE;
        // SAFETY: the table is the boot's, which nobody else uses, and the new entry maps what the old one did.
        unsafe { (*directory)[at] = core::ptr::from_ref(table) as u64 | rights.bits() };
    }
    for nth in FINE / (512 * PAGE)..512 {
        // SAFETY: as above; what is not code is not to be run.
        unsafe { (*directory)[nth] |= Flags::NO_EXECUTE.bits() };
    }
    tlb::flush_all();
}

/// A page table, written before it is used.
#[repr(C, align(4096))]
struct Table(UnsafeCell<[u64; 512]>);

// SAFETY: only `protect` writes to it, once.
unsafe impl Sync for Table {}

impl Table {
    const fn new() -> Self {
        Self(UnsafeCell::new([0; 512]))
    }

    fn set(&self, nth: usize, entry: u64) {
        // SAFETY: see `Sync`; nobody else reads it yet.
        unsafe { (*self.0.get())[nth] = entry };
    }
}

/// What somebody has tried, by the fault's code and the address.
pub fn what_was_tried(code: PageFaultErrorCode, address: usize) -> &'static str {
    match address {
        _ if guard().contains(&address) => "the stack is used up",
        0..PAGE => "null was accessed",
        _ if text().contains(&address) && code.contains(PageFaultErrorCode::CAUSED_BY_WRITE) => "code was written to",
        _ if code.contains(PageFaultErrorCode::INSTRUCTION_FETCH) => "data was run",
        _ if (text().end..constants_end()).contains(&address) => "a constant was written to",
        _ => "memory that is not there was accessed",
    }
}
