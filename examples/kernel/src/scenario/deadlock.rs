//! A lock that is held at task level and needed in an interrupt: what hangs, and what does not.

use core::sync::atomic::{AtomicU32, Ordering};

use demo_contracts::ClockClient;

use super::{Failure, expect};
use crate::kernel::Kernel;
use crate::lock::Lock;
use crate::{board, irq, say};

const ROUNDS: u32 = 100;

/// As most kernels have them.
static RAW: spin::Mutex<u32> = spin::Mutex::new(0);
/// As this one has them.
static KNOWING: Lock<u32> = Lock::new("the scenario's lock", 0);
static REFUSED: AtomicU32 = AtomicU32::new(0);

pub fn play(mut kernel: Kernel, case: &str) -> Result<(), Failure> {
    match case {
        "" => design(&mut kernel)?,
        _ => raw(),
    }
    kernel.shut_down()
}

/// The hang, as proof.
fn raw() {
    irq::on_software(Some(|| *RAW.lock() += 1));
    let held = RAW.lock();
    say!("an interrupt takes a lock that the code holds which it interrupts: this hangs");
    board::interrupt_self();
    drop(held);
    say!("it did not");
}

/// The same, but the interrupt only raises a line: what is to be done under the lock is done at task level.
fn design(kernel: &mut Kernel) -> Result<(), Failure> {
    irq::on_software(Some(|| {
        if KNOWING.try_lock().is_none() {
            REFUSED.store(REFUSED.load(Ordering::Relaxed) + 1, Ordering::Relaxed);
        }
    }));
    kernel.start_timer();
    let mut raised = 0;
    for _ in 0..ROUNDS {
        let mut held = KNOWING.lock();
        // Several interrupts of the timer come while the lock is held, and one of the kernel's own.
        let began = irq::ticks();
        board::interrupt_self();
        while irq::ticks().wrapping_sub(began) < 3 {
            core::hint::spin_loop();
        }
        *held += 1;
        drop(held);
        raised += kernel.runtime.poll(crate::kernel::now()).raised;
    }
    board::stop_timer();
    raised += kernel.runtime.poll(crate::kernel::now()).raised;
    irq::on_software(None);

    let (refused, done) = (REFUSED.load(Ordering::Relaxed), *KNOWING.lock());
    let clock = kernel.runtime.service::<ClockClient>()?.stats()?;
    say!("{done} times a lock was held while interrupts came");
    say!("  an interrupt that tried it was refused {refused} times, and went on");
    say!("  interrupts lost: {}", u64::from(irq::ticks()) - clock.interrupts);
    expect("rounds", done, ROUNDS)?;
    expect("refusals", refused, ROUNDS)?;
    expect("interrupts that came to the runtime", raised, irq::ticks() + ROUNDS)?;
    expect("interrupts that the timer module has counted", clock.interrupts, irq::ticks().into())
}
