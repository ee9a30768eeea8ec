//! A thousand ticks at 1 kHz: nobody misses one, none comes to nothing before a wait, and whoever was interrupted goes on as
//! if nothing had been.

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
        kernel.start_timer();
        wakes_up()?;
    }
    kernel.start_timer();
    is_undisturbed()?;
    board::stop_timer();
    kernel.turn();
    kernel.shut_down()
}

/// An interrupt that came while interrupts were disabled ends the wait at once, instead of being over when it begins.
fn wakes_up() -> Result<(), Failure> {
    const MS: u64 = 1_000_000;
    let wait_until = |time: u64| while board::nanoseconds() < time {};
    // Right after a tick, so that the next but one comes long after the one that is waited for.
    let began = irq::ticks();
    while irq::ticks() == began {}
    board::disable_interrupts();
    wait_until(board::nanoseconds() + MS + MS / 4);
    let began = board::nanoseconds();
    board::enable_interrupts_and_wait();
    let took = board::nanoseconds() - began;
    say!("an interrupt that came before the wait ends it at once: {}", took < MS / 4);
    ensure(took < MS / 4, "an interrupt came between the last look and the wait, and was slept through")
}

/// The same work, with interrupts and without, has the same result: they give back every register.
fn is_undisturbed() -> Result<(), Failure> {
    const ROUNDS: u32 = 20;
    board::disable_interrupts();
    let expected = work();
    board::enable_interrupts();
    let (began, mut rounds) = (irq::ticks(), 0);
    while irq::ticks().wrapping_sub(began) < 100 || rounds < ROUNDS {
        expect("work that was interrupted", work(), expected)?;
        rounds += 1;
    }
    say!("work that was interrupted comes to the same");
    Ok(())
}

/// Keeps more values than there are registers.
#[inline(never)]
fn work() -> [usize; 16] {
    let mut values: [usize; 16] = core::array::from_fn(|at| core::hint::black_box(at + 1));
    for round in 0..20_000_usize {
        let [a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p] = values;
        values = [
            b.wrapping_mul(31) ^ round,
            c.wrapping_add(a),
            d ^ b,
            e.wrapping_sub(c),
            f.rotate_left(3) ^ d,
            g.wrapping_add(e),
            h ^ f,
            i.wrapping_mul(17),
            j.wrapping_add(h),
            k ^ i,
            l.wrapping_sub(j),
            m.rotate_left(7),
            n ^ l,
            o.wrapping_add(m),
            p ^ n,
            a.wrapping_add(o),
        ];
    }
    values
}
