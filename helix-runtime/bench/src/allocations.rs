//! A counting allocator, and how many allocations what runs often makes after the start.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

use crate::row::Row;

/// The system's allocator, with a count for each thread. The program that counts installs it.
pub struct Counting;

thread_local! {
    static COUNT: Cell<u64> = const { Cell::new(0) };
}

// SAFETY: it passes every call on to the system's allocator.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        COUNT.set(COUNT.get() + 1);
        // SAFETY: passed on.
        unsafe { System.alloc(layout) }
    }
    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        COUNT.set(COUNT.get() + 1);
        // SAFETY: passed on.
        unsafe { System.alloc_zeroed(layout) }
    }
    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        COUNT.set(COUNT.get() + 1);
        // SAFETY: passed on.
        unsafe { System.realloc(pointer, layout, size) }
    }
    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        // SAFETY: passed on.
        unsafe { System.dealloc(pointer, layout) }
    }
}

/// How many allocations this thread makes meanwhile.
fn allocations(run: impl FnOnce()) -> u64 {
    let before = COUNT.get();
    run();
    COUNT.get() - before
}

/// The rows of which ours must allocate nothing.
const FREE: [&str; 8] = [
    "publish, `&self` handlers: 8",
    "publish, `&mut self` handlers: 8",
    "publish with statistics, `&self` handlers: 8",
    "request by handle",
    "request by name, 32 at random",
    "request into a buffer, by name, in bytes",
    "channel for one to one, same thread",
    "channel for many to many, same thread",
];

/// Whether allocations are counted in this program.
#[must_use]
pub fn are_counted() -> bool {
    allocations(|| drop(std::hint::black_box(Box::new(1_u8)))) == 1
}

/// Whether a row must allocate nothing.
#[must_use]
pub fn must_be_none(row: &Row) -> bool {
    FREE.contains(&row.what.as_str())
}

/// How many allocations ours makes in a thousand operations, after one that may make some.
#[must_use]
pub fn of(row: &Row) -> u64 {
    let mut ours = row.field().ours;
    ours.run(1);
    allocations(|| {
        ours.run(1000);
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_is_a_row() {
        assert_eq!(crate::rows().iter().filter(|row| must_be_none(row)).count(), FREE.len());
    }
}
