//! An interrupt at 10 kHz that raises lines and pushes into rings, while its thread publishes, subscribes, sends, polls and
//! allocates: nothing hangs, and each raise and each value is accounted for. `HELIX_ALARM_SECONDS` says for how long.
#![cfg(all(target_os = "linux", not(miri)))]
#![allow(missing_docs)]

mod signal;

use std::cell::{Cell, UnsafeCell};
use std::collections::BTreeMap;
use std::ffi::c_int;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use helix_runtime::channel::{Producer, channel, spsc};
use helix_runtime::irq::{self, IrqLine};
use helix_runtime::prelude::*;
use helix_runtime::{EventSubscription, EventTopic, Runtime, modules};
use signal::{Disabled, Timer, within};

const PERIOD: Duration = Duration::from_micros(100);

static LINE: IrqLine = IrqLine::new();
static KEYS: Keys = Keys(UnsafeCell::new(None));
/// The same again, for `poll` to take.
static POLLED_LINE: IrqLine = IrqLine::new();
static POLLED_KEYS: Keys = Keys(UnsafeCell::new(None));
/// How often the handler ran. It is the only one to write it.
static INTERRUPTS: AtomicU64 = AtomicU64::new(0);

struct Keys(UnsafeCell<Option<Producer<u64>>>);

// SAFETY: written before the timer is armed, and from then on used by the handler alone, which does not interrupt itself.
unsafe impl Sync for Keys {}

thread_local! {
    static IN_INTERRUPT: Cell<bool> = const { Cell::new(false) };
}

extern "C" fn interrupt(_: c_int) {
    IN_INTERRUPT.set(true);
    let number = INTERRUPTS.load(Ordering::Relaxed);
    INTERRUPTS.store(number + 1, Ordering::Relaxed);
    LINE.raise();
    POLLED_LINE.raise();
    for keys in [&KEYS, &POLLED_KEYS] {
        // SAFETY: see `Keys`.
        if let Some(keys) = unsafe { &mut *keys.0.get() } {
            // A full ring counts by itself.
            let _ = keys.push(number);
        }
    }
    IN_INTERRUPT.set(false);
}

#[helix_module]
#[derive(Default)]
pub struct Meter {
    ticks: u64,
    names: BTreeMap<u64, String>,
}

#[helix_handlers]
impl Meter {
    #[on_event(Tick)]
    fn tick(&mut self, tick: &Tick) {
        self.ticks += tick.tick_number;
        self.names.insert(self.ticks % 64, format!("tick {}", self.ticks));
    }
    #[on_request]
    fn ticks(&self) -> u64 {
        self.ticks
    }
}

/// Adds up what `poll` makes of interrupts.
#[helix_module]
#[derive(Default)]
pub struct Ledger {
    raised: u64,
    payloads: u64,
    next: u64,
}

#[helix_handlers]
impl Ledger {
    #[on_event(Interrupt)]
    fn interrupt(&mut self, interrupt: &Interrupt) {
        assert_eq!(interrupt.line, 4);
        self.raised += u64::from(interrupt.count);
    }
    #[on_event(Key)]
    fn key(&mut self, key: &Key) {
        assert!(key.number >= self.next, "out of order");
        self.next = key.number + 1;
        self.payloads += 1;
    }
    #[on_request]
    fn raised(&self) -> u64 {
        self.raised
    }
    #[on_request]
    fn payloads(&self) -> u64 {
        self.payloads
    }
}

#[helix_message]
#[derive(Debug, Clone, EventType)]
pub struct Key {
    pub number: u64,
}

#[derive(Default, Debug)]
struct Accounts {
    raised: u64,
    received: u64,
    overflowed: u64,
    polled: Totals,
    /// What the handlers heard of that.
    heard: (u64, u64),
}

/// What all calls of `poll` found, taken together.
#[derive(Default, Debug)]
struct Totals {
    raised: u64,
    payloads: u64,
    overflowed: u64,
}

impl Totals {
    fn poll(&mut self, runtime: &Runtime, now: Duration) {
        let polled = runtime.poll(now);
        self.raised += u64::from(polled.raised);
        self.payloads += u64::from(polled.payloads);
        self.overflowed += u64::from(polled.overflowed);
    }
}

/// Adds a listener, is heard by it once, and takes it away, with what it has captured.
fn listen_for_a_moment(runtime: &Runtime, turn: usize) {
    let (heard, captured) = (Arc::new(AtomicU64::new(0)), vec![turn; 1 + turn % 50]);
    let handler = Box::new({
        let heard = heard.clone();
        move |_: &Event| {
            assert_eq!(captured[captured.len() - 1], turn);
            heard.fetch_add(1, Ordering::Relaxed);
            EventResponse::Handled
        }
    });
    let topics = vec![EventTopic::Custom("moment".into())];
    let id = runtime.subscribe(EventSubscription::new("passing", topics, handler)).unwrap();
    assert_eq!(runtime.publish(&Event::from(Custom::new("moment", []))).handled, 1);
    runtime.unsubscribe(id).unwrap();
    assert_eq!(runtime.publish(&Event::from(Custom::new("moment", []))).handled, 0);
    assert_eq!((heard.load(Ordering::Relaxed), Arc::strong_count(&heard)), (1, 1));
}

fn run(length: Duration) -> Accounts {
    irq::detect_with(|| IN_INTERRUPT.get());
    let (producer, mut keys) = spsc(4);
    let (polled_producer, polled_keys) = spsc(4);
    // SAFETY: the timer is not armed yet, so the handler does not run.
    unsafe {
        *KEYS.0.get() = Some(producer);
        *POLLED_KEYS.0.get() = Some(polled_producer);
    }
    let builder = Runtime::builder().modules(modules![Meter, Ledger]);
    let builder = builder.line(&POLLED_LINE, |count, _| Interrupt { line: 4, count });
    let runtime = builder.payloads(polled_keys, |number, _| Key { number }).build().unwrap();
    runtime.start().unwrap();
    let (tx, rx) = channel(16);
    let mut accounts = Accounts::default();
    let mut last = None;
    let timer = Timer::new(interrupt);
    timer.arm(PERIOD, PERIOD);
    let start = Instant::now();
    let mut turn = 0_usize;
    while start.elapsed() < length {
        turn += 1;
        // What any task does, and what an interrupt must not find half done.
        for _ in 0..1 + turn % 97 {
            tx.send(vec![turn; 1 + turn % 2000]).unwrap();
            assert_eq!(rx.try_recv().unwrap()[0], turn);
        }
        // The turn of `poll`: what was raised becomes an event that carries the count.
        let raised = u64::from(LINE.take());
        if raised != 0 {
            accounts.raised += raised;
            assert!(runtime.publish(&Tick { timestamp_ns: 0, tick_number: raised }).is_clean());
        }
        accounts.overflowed += u64::from(keys.take_overflowed());
        for number in keys.drain() {
            assert!(last.is_none_or(|last| last < number), "out of order");
            last = Some(number);
            accounts.received += 1;
        }
        listen_for_a_moment(&runtime, turn);
        if runtime.has_work() {
            accounts.polled.poll(&runtime, start.elapsed());
        }
    }
    drop(timer);
    let _disabled = Disabled::new();
    accounts.raised += u64::from(LINE.take());
    accounts.received += keys.drain().count() as u64;
    accounts.overflowed += u64::from(keys.take_overflowed());
    assert!(runtime.call::<(), u64>("meter.ticks", ()).unwrap() <= accounts.raised);
    while runtime.has_work() {
        accounts.polled.poll(&runtime, length);
    }
    let heard = |request| runtime.call::<(), u64>(request, ()).unwrap();
    accounts.heard = (heard("ledger.raised"), heard("ledger.payloads"));
    accounts
}

#[test]
fn each_raise_and_each_value_of_an_interrupt_is_accounted_for() {
    let seconds = std::env::var("HELIX_ALARM_SECONDS").map_or(2, |seconds| seconds.parse().expect("a whole number"));
    let length = Duration::from_secs(seconds);
    within(length + Duration::from_secs(60), move || {
        let accounts = run(length);
        let interrupts = INTERRUPTS.load(Ordering::Relaxed);
        println!("{interrupts} interrupts: {accounts:?}");
        assert!(interrupts > 100 * seconds, "hardly an interrupt: {interrupts}");
        assert_eq!(accounts.raised, interrupts);
        assert_eq!(accounts.received + accounts.overflowed, interrupts);
        assert_eq!(accounts.polled.raised, interrupts);
        assert_eq!(accounts.polled.payloads + accounts.polled.overflowed, interrupts);
        assert_eq!(accounts.heard, (accounts.polled.raised, accounts.polled.payloads));
    });
}
