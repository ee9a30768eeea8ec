//! A thousand ticks at 1 kHz, and nobody misses one.

use demo_contracts::{ClockClient, SchedulerClient};

use super::table::is_counted;
use super::{Failure, ensure, expect};
use crate::kernel::{HZ, Kernel};
use crate::{board, irq, say};

const TICKS: u32 = 1000;

pub fn play(mut kernel: Kernel, _: &str) -> Result<(), Failure> {
    let began = board::nanoseconds();
    kernel.start_timer();
    kernel.run_for(TICKS);
    board::stop_timer();
    let took = board::nanoseconds() - began;
    kernel.turn();

    let clock = kernel.runtime.service::<ClockClient>()?.stats()?;
    let scheduler = kernel.runtime.service::<SchedulerClient>()?.stats()?;
    let tally = kernel.runtime.call::<(), u64>("tally.ticks", ())?;
    let interrupts = u64::from(irq::ticks());
    say!("interrupts of the timer  {interrupts}");
    say!("  counted by timer       {}", clock.interrupts);
    say!("  counted by scheduler   {}", scheduler.ticks);
    say!("  counted by tally       {tally}");
    expect("interrupts that the timer module has counted", clock.interrupts, interrupts)?;
    expect("ticks that the scheduler has counted", scheduler.ticks, interrupts)?;
    expect("ticks that the tally has counted", tally, interrupts)?;
    expect("handlers that a tick did not reach", clock.missed, 0)?;
    ensure(interrupts >= u64::from(TICKS), "the timer came too seldom")?;
    // What is lost before it is counted shows in another clock of the machine. A machine in real time may oversleep.
    if is_counted() {
        let (took, expected) = (took / 1000, interrupts * 1_000_000 / u64::from(HZ));
        say!("  by another clock       {} ms", (took + 500) / 1000);
        ensure(took.abs_diff(expected) < 1_000_000 / u64::from(HZ), "the timer has lost interrupts, or has too many")?;
    }
    kernel.shut_down()
}
