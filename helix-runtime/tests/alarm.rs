//! An interrupt at 10 kHz that raises a line and pushes into a ring, while its thread publishes, sends and allocates:
//! nothing hangs, and each raise and each value is accounted for. `HELIX_ALARM_SECONDS` says for how long.
#![cfg(all(target_os = "linux", not(miri)))]
#![allow(missing_docs)]

mod signal;

use std::cell::{Cell, UnsafeCell};
use std::collections::BTreeMap;
use std::ffi::c_int;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use helix_runtime::channel::{Producer, channel, spsc};
use helix_runtime::irq::{self, IrqLine};
use helix_runtime::prelude::*;
use helix_runtime::{Runtime, modules};
use signal::{Disabled, Timer, within};

const PERIOD: Duration = Duration::from_micros(100);

static LINE: IrqLine = IrqLine::new();
static KEYS: Keys = Keys(UnsafeCell::new(None));
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
    // SAFETY: see `Keys`.
    if let Some(keys) = unsafe { &mut *KEYS.0.get() } {
        // A full ring counts by itself.
        let _ = keys.push(number);
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

#[derive(Default)]
struct Accounts {
    raised: u64,
    received: u64,
    overflowed: u64,
}

fn run(length: Duration) -> Accounts {
    irq::detect_with(|| IN_INTERRUPT.get());
    let runtime = Runtime::builder().modules(modules![Meter]).build().unwrap();
    runtime.start().unwrap();
    let (producer, mut keys) = spsc(4);
    // SAFETY: the timer is not armed yet, so the handler does not run.
    unsafe { *KEYS.0.get() = Some(producer) };
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
    }
    drop(timer);
    let _disabled = Disabled::new();
    accounts.raised += u64::from(LINE.take());
    accounts.received += keys.drain().count() as u64;
    accounts.overflowed += u64::from(keys.take_overflowed());
    assert!(runtime.call::<(), u64>("meter.ticks", ()).unwrap() <= accounts.raised);
    accounts
}

#[test]
fn each_raise_and_each_value_of_an_interrupt_is_accounted_for() {
    let seconds = std::env::var("HELIX_ALARM_SECONDS").map_or(2, |seconds| seconds.parse().expect("a whole number"));
    let length = Duration::from_secs(seconds);
    within(length + Duration::from_secs(60), move || {
        let accounts = run(length);
        let interrupts = INTERRUPTS.load(Ordering::Relaxed);
        println!(
            "{interrupts} interrupts: {} raises taken, {} values received, {} overflowed",
            accounts.raised, accounts.received, accounts.overflowed
        );
        assert!(interrupts > 100 * seconds, "hardly an interrupt: {interrupts}");
        assert_eq!(accounts.raised, interrupts);
        assert_eq!(accounts.received + accounts.overflowed, interrupts);
    });
}
