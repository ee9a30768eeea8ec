//! Interrupts in, ticks out.
#![forbid(unsafe_code)]
#![allow(missing_docs)]

use demo_contracts::ClockClient;
use helix_runtime::prelude::*;
use helix_runtime::{ConfigMap, PublishResult, Runtime, modules};
use timer::Timer;

/// Writes down each tick, and asks for the time while the timer is still publishing it.
#[helix_module(name = "listener", dependencies("clock"))]
#[derive(Default)]
pub struct Listener {
    clock: Option<ClockClient>,
    heard: Vec<(u64, u64, u64)>,
}

#[helix_handlers]
impl Listener {
    #[on_init]
    fn init(&mut self, ctx: &Context) -> Result<(), ModuleError> {
        self.clock = Some(ctx.service()?);
        Ok(())
    }
    #[on_event(Tick)]
    fn tick(&mut self, tick: &Tick) -> Result<(), ModuleError> {
        let now = self.clock.as_ref().ok_or("no clock")?.now()?;
        self.heard.push((tick.tick_number, tick.timestamp_ns, now));
        Ok(())
    }
    #[on_request]
    fn heard(&self) -> Vec<(u64, u64, u64)> {
        self.heard.clone()
    }
}

fn runtime(config: &[(&str, &str)]) -> Runtime {
    let config: ConfigMap = config.iter().copied().collect();
    let runtime = Runtime::builder().config(config).modules(modules![Listener, Timer]).build().unwrap();
    runtime.start().unwrap();
    runtime
}

fn raise(runtime: &Runtime, line: u32, count: u32) -> PublishResult {
    runtime.publish(&Interrupt { line, count })
}

#[test]
fn each_interrupt_is_a_tick_and_merged_ones_move_the_number_on() {
    let runtime = runtime(&[("timer.period_us", "500")]);
    for count in [1, 1, 4, 1] {
        assert_eq!(raise(&runtime, 0, count).handled, 1);
    }
    let heard: Vec<(u64, u64, u64)> = runtime.call::<(), _>("listener.heard", ()).unwrap();
    let expected = [1_u64, 2, 6, 7].map(|number| (number, number * 500_000, number * 500_000));
    assert_eq!(heard, expected);
    let stats = runtime.service::<ClockClient>().unwrap().stats().unwrap();
    assert_eq!((stats.interrupts, stats.ticks, stats.handled, stats.missed), (7, 4, 4, 0));
}

#[test]
fn other_lines_and_interrupts_that_were_not_raised_are_ignored() {
    let runtime = runtime(&[("timer.line", "3")]);
    assert_eq!(raise(&runtime, 0, 1).ignored, 1);
    assert_eq!(raise(&runtime, 3, 0).ignored, 1);
    assert_eq!(raise(&runtime, 3, 1).handled, 1);
    let stats = runtime.service::<ClockClient>().unwrap().stats().unwrap();
    assert_eq!((stats.line, stats.interrupts), (3, 1));
}

#[test]
fn it_has_no_lock_so_interrupts_of_two_threads_are_all_counted() {
    let runtime = Runtime::builder().modules(modules![Timer]).build().unwrap();
    runtime.start().unwrap();
    assert!(runtime.modules()[0].lockless);
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| (0..1000).for_each(|_| assert!(raise(&runtime, 0, 2).is_clean())));
        }
    });
    assert_eq!(runtime.service::<ClockClient>().unwrap().now().unwrap(), 4000 * 1_000_000);
}

#[test]
fn a_period_that_is_none_is_refused() {
    for period in ["0", "1000001"] {
        let config: ConfigMap = [("timer.period_us", period)].into_iter().collect();
        let runtime = Runtime::builder().config(config).modules(modules![Timer]).build().unwrap();
        let error = runtime.start().unwrap_err().to_string();
        let expected = "expected a whole number from 1 to 1000000";
        assert_eq!(error, format!("module `timer`, on_init: config key `period_us`: found `{period}`, {expected}"));
    }
}
