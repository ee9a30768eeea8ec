//! Interrupts far faster than their handlers: they merge and are counted, and memory stays as it is.

use core::sync::atomic::{AtomicU32, Ordering};

use demo_contracts::ClockClient;
use helix_runtime::Runtime;

use super::{Failure, ensure, expect};
use crate::kernel::{HZ, Kernel};
use crate::{board, heap, irq, say};

/// Each event takes as long as so many interrupts.
const SLOWNESS: u32 = 20;
const TICKS: u32 = 500;
/// How often the kernel interrupts itself between two rounds of its idle loop.
const BURST: u32 = 1000;
const BURSTS: u32 = 10;

static BYTES: AtomicU32 = AtomicU32::new(0);

pub fn play(mut kernel: Kernel, _: &str) -> Result<(), Failure> {
    warm_up(&mut kernel)?;
    let heard = |kernel: &Kernel| kernel.runtime.call::<(), (u32, u32)>("probe.heard", ());
    let (used, before, heard_before) = (heap::used(), irq::ticks(), heard(&kernel)?);
    heap::forget_peak();

    kernel.runtime.call::<(u32,), ()>("probe.slow_down", (SLOWNESS,))?;
    kernel.start_timer();
    kernel.run_for(TICKS);
    kernel.runtime.call::<(u32,), ()>("probe.slow_down", (0,))?;
    board::stop_timer();
    kernel.turn();
    let (interrupts, events) = heard(&kernel)?;
    let (interrupts, events) = (interrupts - heard_before.0, events - heard_before.1);
    let raised = irq::ticks() - before;
    let peak = heap::peak() - used;
    say!("the timer's line, {HZ} times a second, each event as long as {SLOWNESS} interrupts");
    say!("  interrupts raised: {raised}, counted: {interrupts}, in events: {events}");
    expect("interrupts that were heard", interrupts, raised)?;
    ensure(raised >= TICKS, "the timer came too seldom")?;
    ensure(events <= raised / SLOWNESS + 2, "events were not merged")?;
    expect("handlers that a tick did not reach", clock(kernel.runtime)?.missed, 0)?;
    say!("  memory in use at most, more than before: {peak} bytes");
    ensure(peak < 16 << 10, "memory has grown with the interrupts")?;

    payloads(&mut kernel)?;
    kernel.shut_down()
}

/// What is made once (the first entries of the journal, the first answer) is not the storm's.
fn warm_up(kernel: &mut Kernel) -> Result<(), Failure> {
    irq::on_software(Some(push));
    kernel.start_timer();
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
    let heard = |kernel: &Kernel| kernel.runtime.call::<(), u32>("shell.bytes", ());
    let (before, heard_before) = (BYTES.load(Ordering::Relaxed), heard(kernel)?);
    let (mut taken, mut overflowed, mut used) = (0, 0, None);
    for _ in 0..BURSTS {
        for _ in 0..BURST {
            board::interrupt_self();
        }
        let polled = kernel.runtime.poll(crate::kernel::now());
        taken += polled.payloads;
        overflowed += polled.overflowed;
        // The first burst fills the journal; what comes after it takes the place of that.
        expect("memory in use", heap::used(), *used.get_or_insert(heap::used()))?;
    }
    irq::on_software(None);
    let (pushed, heard) = (BYTES.load(Ordering::Relaxed) - before, heard(kernel)? - heard_before);
    say!("the console's ring, {BURST} bytes between two rounds of the idle loop");
    say!("  pushed: {pushed}, taken: {taken}, counted as lost: {overflowed}");
    expect("bytes that were pushed", pushed, BURST * BURSTS)?;
    expect("bytes that were taken or counted as lost", taken + overflowed, pushed)?;
    expect("bytes that the shell has heard", heard, taken)?;
    ensure(overflowed > 0, "the ring was never full")
}
