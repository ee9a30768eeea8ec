//! What a program has to bring that nobody stands behind: memory that is never given back, and an end.

use core::alloc::{GlobalAlloc, Layout};
use core::cell::UnsafeCell;
use core::sync::atomic::{AtomicUsize, Ordering::Relaxed};

const SIZE: usize = 32 * 1024;

struct Bump {
    memory: UnsafeCell<[u8; SIZE]>,
    used: AtomicUsize,
}

// SAFETY: `used` only grows, so that no two allocations overlap.
unsafe impl Sync for Bump {}

// SAFETY: what is given out lies in `memory`, is aligned, and is given out once.
unsafe impl GlobalAlloc for Bump {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        let base = self.memory.get().cast::<u8>();
        let room = layout.size() + layout.align();
        let from = self.used.fetch_add(room, Relaxed);
        if from + room > SIZE {
            return core::ptr::null_mut();
        }
        let start = base.wrapping_add(from);
        start.wrapping_add(start.align_offset(layout.align()))
    }
    unsafe fn dealloc(&self, _: *mut u8, _: Layout) {}
}

#[global_allocator]
static MEMORY: Bump = Bump { memory: UnsafeCell::new([0; SIZE]), used: AtomicUsize::new(0) };

#[panic_handler]
fn panic(_: &core::panic::PanicInfo<'_>) -> ! {
    end()
}

pub fn end() -> ! {
    loop {
        core::hint::spin_loop();
    }
}
