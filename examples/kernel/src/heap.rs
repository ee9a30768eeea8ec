//! The kernel's memory: an arena of a fixed size behind the global allocator, and how full it is.

use core::alloc::{GlobalAlloc, Layout};
use core::cell::UnsafeCell;
use core::mem::MaybeUninit;
use core::ptr::{NonNull, null_mut};
use core::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use helix_runtime::PressureLevel;
use linked_list_allocator::Heap;

use crate::lock::Lock;

/// How much memory there is, in bytes.
pub const SIZE: usize = 1 << 20;

#[global_allocator]
static ALLOCATOR: Allocator = Allocator;

static HEAP: Lock<Heap> = Lock::new("the allocator", Heap::empty());
static ARENA: Arena = Arena(UnsafeCell::new([MaybeUninit::uninit(); SIZE]));
static USED: AtomicUsize = AtomicUsize::new(0);
static PEAK: AtomicUsize = AtomicUsize::new(0);
static REFUSED: AtomicBool = AtomicBool::new(false);

#[repr(align(64))]
struct Arena(UnsafeCell<[MaybeUninit<u8>; SIZE]>);

// SAFETY: nobody touches it but the heap, which is behind a lock.
unsafe impl Sync for Arena {}

struct Allocator;

// SAFETY: the heap hands out disjoint parts of the arena, of the size and alignment that was asked for.
unsafe impl GlobalAlloc for Allocator {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        let mut heap = HEAP.lock();
        if heap.size() == 0 {
            // SAFETY: the arena is the heap's alone, for ever, and this happens once.
            unsafe { heap.init(ARENA.0.get().cast(), SIZE) };
        }
        let allocated = heap.allocate_first_fit(layout);
        USED.store(heap.used(), Ordering::Relaxed);
        PEAK.store(heap.used().max(PEAK.load(Ordering::Relaxed)), Ordering::Relaxed);
        REFUSED.store(allocated.is_err(), Ordering::Relaxed);
        allocated.map_or(null_mut(), NonNull::as_ptr)
    }

    unsafe fn dealloc(&self, at: *mut u8, layout: Layout) {
        let mut heap = HEAP.lock();
        if let Some(at) = NonNull::new(at) {
            // SAFETY: the caller gives back what `alloc` gave for that layout.
            unsafe { heap.deallocate(at, layout) };
        }
        USED.store(heap.used(), Ordering::Relaxed);
        REFUSED.store(false, Ordering::Relaxed);
    }
}

/// How much is handed out, in bytes.
pub fn used() -> usize {
    USED.load(Ordering::Relaxed)
}

/// The most that was handed out at once since the last call of [`forget_peak`].
pub fn peak() -> usize {
    PEAK.load(Ordering::Relaxed)
}

/// From here on the peak is counted anew.
pub fn forget_peak() {
    PEAK.store(used(), Ordering::Relaxed);
}

/// Whether the last request was refused, and nobody has gone on since.
pub fn has_just_refused() -> bool {
    REFUSED.load(Ordering::Relaxed)
}

/// How scarce memory is: moderate from three quarters on, critical from nine tenths.
pub fn level() -> PressureLevel {
    match used() * 100 / SIZE {
        0..75 => PressureLevel::Normal,
        75..90 => PressureLevel::Moderate,
        _ => PressureLevel::Critical,
    }
}
