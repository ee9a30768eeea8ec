//! After the start, publishing and calling allocate nothing. A counting allocator proves it.
#![allow(missing_docs)]

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

use std::time::Duration;

use helix_runtime::channel::channel;
use helix_runtime::irq::IrqLine;
use helix_runtime::prelude::*;
use helix_runtime::{EventSubscription, EventTopic, Runtime, modules};

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

/// Publishes and asks from inside, where it has a context.
#[helix_module]
#[derive(Default)]
pub struct Nested {
    heard: u64,
}

#[helix_handlers]
impl Nested {
    #[on_event(Tick)]
    fn tick(&mut self, ctx: &Context) -> Result<(), ModuleError> {
        // This module is busy with this very call, so that the event is kept for it.
        let result = ctx.publish(&MemoryPressure { level: PressureLevel::Critical });
        assert_eq!((result.queued, result.handled), (1, 1));
        assert!(ctx.publish(&Sample { value: 1 }).is_clean());
        ctx.call::<(&'static str, u64), u64>("meter.add", ("ab", 1))?;
        Ok(())
    }
    #[on_event(MemoryPressure)]
    fn pressure(&mut self, pressure: &MemoryPressure) {
        self.heard += u64::from(pressure.level == PressureLevel::Critical);
    }
    #[on_request]
    fn heard(&self) -> u64 {
        self.heard
    }
}

#[test]
fn publishing_and_calling_from_inside_and_what_is_kept_meanwhile_allocate_nothing() {
    let runtime = Runtime::builder().modules(modules![Meter, Nested]).build().unwrap();
    runtime.start().unwrap();
    let handle = runtime.handle();
    let counted = allocations(|| {
        for tick_number in 0..10 {
            assert!(runtime.publish(&Tick { timestamp_ns: 0, tick_number }).is_clean());
            assert!(handle.publish(&Sample { value: 1 }).unwrap().is_clean());
            handle.call::<(&'static str, u64), u64>("meter.add", ("ab", 1)).unwrap();
        }
        assert_eq!(handle.call::<(), u64>("nested.heard", ()), Ok(10));
    });
    assert_eq!(counted, 0);
}

#[test]
fn publishing_to_any_number_of_closures_allocates_nothing() {
    for listeners in [1, 8, 64] {
        let runtime = Runtime::builder().statistics().build().unwrap();
        for _ in 0..listeners {
            let topics = vec![EventTopic::Tick, EventTopic::of::<Sample>(), EventTopic::Custom("bare".into())];
            let hears = Box::new(|event: &Event| match event {
                Event::Custom(custom) if custom.name() == "nothing" => EventResponse::Ignored,
                _ => EventResponse::Handled,
            });
            runtime.subscribe(EventSubscription::new("ear", topics, hears)).unwrap();
        }
        runtime.start().unwrap();
        let custom = Event::from(Custom::new("bare", vec![1, 2, 3]));
        let owned = Event::from(Custom::from_event(Sample { value: 1 }));
        let handle = runtime.handle();
        let counted = allocations(|| {
            for tick_number in 0..10 {
                let tick = Tick { timestamp_ns: 0, tick_number };
                assert_eq!(runtime.publish(&tick).handled, listeners);
                assert_eq!(runtime.publish(&Event::Tick(tick)).handled, listeners);
                assert_eq!(runtime.publish(&Sample { value: 1 }).handled, listeners);
                assert_eq!(runtime.publish(&custom).handled, listeners);
                assert_eq!(runtime.publish(&owned).handled, listeners);
                assert_eq!(handle.publish(&custom).unwrap().handled, listeners);
            }
        });
        assert_eq!(counted, 0, "{listeners} listeners");
    }
}

static LINE: IrqLine = IrqLine::new();

#[test]
fn raising_a_line_and_sending_allocate_nothing() {
    let line = |count, _| Interrupt { line: 1, count };
    let runtime = Runtime::builder().line(&LINE, line).modules(modules![Meter]).build().unwrap();
    runtime.start().unwrap();
    let (tx, rx) = channel::<u64>(2);
    let counted = allocations(|| {
        for round in 0..100 {
            LINE.raise();
            tx.send(round).unwrap();
            assert_eq!(rx.try_recv(), Ok(round));
        }
    });
    assert_eq!(counted, 0);
    assert_eq!(runtime.poll(Duration::ZERO).raised, 100);
    let counted = allocations(|| {
        assert!(!LINE.is_raised());
        assert_eq!(runtime.poll(Duration::ZERO).raised, 0);
    });
    assert_eq!(counted, 0, "a poll that finds nothing to do");
}
