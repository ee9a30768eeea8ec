//! What it takes to publish to one handler without `std`, against a hand-written table of one, with a spin
//! lock where the handler takes `&mut self`: `cargo bench`.
//!
//! The two take turns, so that what slows the machine down slows both; medians, and the median of the turns' ratios.

use std::hint::black_box;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Instant;

use helix_runtime::prelude::*;
use helix_runtime::{ModuleSet, Runtime, modules};

const TURNS: usize = 101;
const CALLS: u32 = 200_000;
const TICK: Tick = Tick { timestamp_ns: 1, tick_number: 1 };

/// What every handler does: a load, an addition and a store that stay where they are.
#[inline(never)]
fn work(seen: &AtomicU64, by: u64) {
    seen.store(seen.load(Relaxed).wrapping_add(by), Relaxed);
}

/// Counts the ticks, side by side with others.
#[helix_module]
#[derive(Default)]
pub struct Shared {
    seen: AtomicU64,
}

#[helix_handlers]
impl Shared {
    #[on_event(Tick)]
    fn tick(&self, tick: &Tick) {
        work(&self.seen, tick.tick_number);
    }
}

/// Counts the ticks, alone.
#[helix_module]
#[derive(Default)]
pub struct Exclusive {
    seen: AtomicU64,
}

#[helix_handlers]
impl Exclusive {
    #[on_event(Tick)]
    fn tick(&mut self, tick: &Tick) {
        work(&self.seen, tick.tick_number);
    }
}

/// Nanoseconds of one call.
fn time(mut call: impl FnMut()) -> f64 {
    let start = Instant::now();
    (0..CALLS).for_each(|_| call());
    start.elapsed().as_nanos() as f64 / f64::from(CALLS)
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

fn compare(name: &str, set: ModuleSet, mut by_hand: impl FnMut()) {
    let runtime = Runtime::builder().modules(set).build().expect("one module fits");
    runtime.start().expect("nothing can fail");
    let mut turn = |_| {
        let by_hand = time(&mut by_hand);
        let helix = time(|| assert_eq!(black_box(&runtime).publish(black_box(&TICK)).handled, 1));
        (by_hand, helix)
    };
    turn(0); // not counted: caches are cold
    let turns: Vec<(f64, f64)> = (0..TURNS).map(turn).collect();
    let by_hand = median(turns.iter().map(|turn| turn.0).collect());
    let helix = median(turns.iter().map(|turn| turn.1).collect());
    let ratio = median(turns.iter().map(|turn| turn.1 / turn.0).collect());
    println!("| {name} | {helix:.2} | {by_hand:.2} | {ratio:.1}x |");
}

type Entry<M> = (fn(&M, &Tick), M);

/// A walk of a table of one.
fn walk<M>(table: &[Entry<M>]) {
    black_box(table).iter().for_each(|(handler, module)| handler(module, black_box(&TICK)));
}

fn main() {
    println!("| publish to 1 handler, without `std` | ns | ns by hand | ratio |\n|---|--:|--:|--:|");
    let shared: fn(&AtomicU64, &Tick) = |seen, tick| work(seen, tick.tick_number);
    let table = [(black_box(shared), AtomicU64::new(0))];
    compare("`&self`", modules![Shared], || walk(&table));
    let exclusive: fn(&spin::Mutex<AtomicU64>, &Tick) = |seen, tick| work(&seen.lock(), tick.tick_number);
    let table = [(black_box(exclusive), spin::Mutex::new(AtomicU64::new(0)))];
    compare("`&mut self`", modules![Exclusive], || walk(&table));
}
