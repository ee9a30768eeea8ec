//! A thousand ticks at 1 kHz, and nobody misses one.

use demo_contracts::{ClockClient, SchedulerClient};

use super::{Failure, expect};
use crate::kernel::{HZ, Kernel};
use crate::{irq, say};

const TICKS: u32 = 1000;

pub fn play(mut kernel: Kernel, _: &str) -> Result<(), Failure> {
    kernel.start_timer(HZ);
    kernel.run_for(TICKS);
    crate::board::stop_timer();
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
    expect("whether there were as many as asked for", interrupts >= u64::from(TICKS), true)?;
    kernel.shut_down()
}
