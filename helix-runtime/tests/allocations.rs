//! After the start, publishing and calling allocate nothing. A counting allocator proves it.
#![allow(missing_docs)]

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

use helix_runtime::prelude::*;
use helix_runtime::{Runtime, modules};

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

#[helix_message]
#[derive(Debug, Clone, PartialEq, EventType)]
pub struct Sample {
    pub value: u64,
}

#[helix_service("sums")]
pub trait Sums {
    fn total(&self) -> u64;
}

#[helix_module(provides = [Sums])]
#[derive(Default)]
pub struct Meter {
    sum: u64,
}

#[helix_handlers]
impl Meter {
    #[on_event(Tick)]
    fn tick(&mut self, tick: &Tick) {
        self.sum += tick.tick_number;
    }
    #[on_event(Sample)]
    fn sample(&mut self, sample: &Sample) {
        self.sum += sample.value;
    }
    #[on_event(Event)]
    fn all(&self, event: &Event) {
        assert!(!event.name().is_empty());
    }
    #[on_request]
    fn add(&mut self, name: &str, value: u64) -> u64 {
        self.sum += value + name.len() as u64;
        self.sum
    }
}

impl Sums for Meter {
    fn total(&self) -> u64 {
        self.sum
    }
}

#[test]
fn publishing_and_calling_allocate_nothing() {
    let runtime = Runtime::builder().modules(modules![Meter]).build().unwrap();
    runtime.start().unwrap();
    let add = runtime.resolve::<(&'static str, u64), u64>("meter.add").unwrap();
    let sums: SumsClient = runtime.service().unwrap();
    let mut reply = [0; 16];
    let counted = allocations(|| {
        for round in 0..10 {
            assert!(runtime.publish(&Tick { timestamp_ns: 0, tick_number: round }).is_clean());
            assert!(runtime.publish(&Sample { value: round }).is_clean());
            assert!(runtime.publish(&Event::Shutdown(Shutdown)).is_clean());
            add.call(("ab", round)).unwrap();
            runtime.call::<(&'static str, u64), u64>("meter.add", ("ab", round)).unwrap();
            runtime.request_into("meter.add", &[2, b'a', b'b', 1], &mut reply).unwrap();
            sums.total().unwrap();
        }
    });
    assert_eq!(counted, 0);
    assert_eq!(allocations(|| drop(Box::new(1_u8))), 1, "the allocator does count");
}
