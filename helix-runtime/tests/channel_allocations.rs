//! Sending and receiving allocate nothing. A counting allocator proves it.
#![allow(missing_docs)]

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::time::Duration;

use helix_runtime::channel::{channel, oneshot, spsc};

struct Counting;

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
    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        // SAFETY: passed on.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

fn allocations(run: impl FnOnce()) -> u64 {
    let before = COUNT.get();
    run();
    COUNT.get() - before
}

#[test]
fn sending_and_receiving_allocate_nothing() {
    let (tx, rx) = channel::<[u64; 8]>(4);
    let (mut producer, mut consumer) = spsc::<[u64; 8]>(4);
    let (answer, answered) = oneshot::<u64>();
    let counted = allocations(|| {
        for round in 0..100 {
            for _ in 0..6 {
                let _ = tx.send([round; 8]);
                let _ = producer.push([round; 8]);
            }
            assert_eq!(rx.drain().count(), 4);
            assert_eq!(consumer.drain().count(), 4);
            assert!(rx.try_recv().is_err());
        }
        assert_eq!(consumer.take_overflowed(), 200);
        answer.send(1).unwrap();
        assert_eq!(answered.try_recv(), Ok(1));
    });
    assert_eq!(counted, 0);
    assert_eq!(allocations(|| drop(Box::new(1_u8))), 1, "the allocator does count");
}

#[test]
fn waking_one_who_waits_allocates_nothing_and_waiting_does_so_only_at_first() {
    let (tx, rx) = channel::<u64>(4);
    let _ = rx.recv_timeout(Duration::ZERO);
    let waiting = allocations(|| {
        for _ in 0..10 {
            assert!(rx.recv_timeout(Duration::ZERO).is_err());
        }
    });
    assert_eq!(waiting, 0);
    let thread = std::thread::spawn(move || rx.recv());
    let sending = allocations(|| tx.send(1).unwrap());
    assert_eq!(sending, 0);
    assert_eq!(thread.join().unwrap(), Ok(1));
}
