//! Interrupts far faster than their handlers: they merge and are counted, and memory stays as it is.

use core::sync::atomic::{AtomicU32, Ordering};

use demo_contracts::ClockClient;
use helix_runtime::Runtime;

use super::{Failure, ensure, expect};
use crate::kernel::Kernel;
use crate::{board, heap, irq, say};

const HZ: u32 = 5000;
/// Each event takes as long as so many interrupts.
const SLOWNESS: u32 = 20;
const TICKS: u32 = 5000;
/// How often the kernel interrupts itself between two rounds of its idle loop.
const BURST: u32 = 1000;
const BURSTS: u32 = 10;

static BYTES: AtomicU32 = AtomicU32::new(0);

pub fn play(mut kernel: Kernel, _: &str) -> Result<(), Failure> {
    kernel.run_for(0);
    warm_up(&mut kernel)?;
    let (used, before) = (heap::used(), irq::ticks());
    heap::forget_peak();

    kernel.runtime.call::<(u32,), ()>("probe.slow_down", (SLOWNESS,))?;
    kernel.start_timer(HZ);
    kernel.run_for(TICKS);
    board::stop_timer();
    kernel.turn();
    let (interrupts, events) = kernel.runtime.call::<(), (u64, u64)>("probe.heard", ())?;
    kernel.runtime.call::<(u32,), ()>("probe.slow_down", (0,))?;
    let raised = u64::from(irq::ticks() - before);
    let peak = heap::peak() - used;
    say!("the timer's line, {HZ} times a second, each event as long as {SLOWNESS} interrupts");
    say!("  all that were raised are counted    {}", interrupts == raised);
    say!("  merged to one event in {SLOWNESS} or more  {}", events * u64::from(SLOWNESS) <= raised);
    expect("interrupts that were heard", interrupts, raised)?;
    ensure(events * u64::from(SLOWNESS) <= raised + 2 * u64::from(SLOWNESS), "events were not merged")?;
    expect("handlers that a tick did not reach", clock(kernel.runtime)?.missed, 0)?;
    say!("  memory in use at most, more than before: {peak} bytes");
    ensure(peak < 16 << 10, "memory has grown with the interrupts")?;

    payloads(&mut kernel)?;
    let left = heap::used() - used;
    say!("  memory in use afterwards, more than before: {left} bytes");
    expect("memory that is still in use", left, 0)?;
    kernel.shut_down()
}

/// What is made once (the first entries of the journal, the first answer) is not the storm's.
fn warm_up(kernel: &mut Kernel) -> Result<(), Failure> {
    irq::on_software(Some(push));
    kernel.start_timer(HZ);
    for _ in 0..40 {
        board::interrupt_self();
        kernel.run_for(1);
    }
    board::stop_timer();
    kernel.turn();
    clock(kernel.runtime).map(drop)
}

fn clock(runtime: &Runtime) -> Result<demo_contracts::ClockStats, Failure> {
    Ok(runtime.service::<ClockClient>()?.stats()?)
}

fn push() {
    BYTES.store(BYTES.load(Ordering::Relaxed) + 1, Ordering::Relaxed);
    irq::serial(b' ');
}

/// Bytes that come faster than the ring holds them: what does not fit is counted.
fn payloads(kernel: &mut Kernel) -> Result<(), Failure> {
    let shell = kernel.runtime.call::<(), u32>("shell.bytes", ())?;
    let before = BYTES.load(Ordering::Relaxed);
    let (mut taken, mut overflowed) = (0, 0);
    for _ in 0..BURSTS {
        for _ in 0..BURST {
            board::interrupt_self();
        }
        let polled = kernel.runtime.poll(crate::kernel::now());
        taken += polled.payloads;
        overflowed += polled.overflowed;
    }
    irq::on_software(None);
    let pushed = BYTES.load(Ordering::Relaxed) - before;
    let heard = kernel.runtime.call::<(), u32>("shell.bytes", ())? - shell;
    say!("the console's ring, {BURST} bytes between two rounds of the idle loop");
    say!("  pushed {pushed}, taken {taken}, counted as lost {overflowed}");
    expect("bytes that were pushed", pushed, BURST * BURSTS)?;
    expect("bytes that were taken or counted as lost", taken + overflowed, pushed)?;
    expect("bytes that the shell has heard", heard, taken)?;
    ensure(overflowed > 0, "the ring was never full")
}
