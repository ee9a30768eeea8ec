//! What does not belong into an interrupt says so there, instead of hanging.

use alloc::boxed::Box;

use helix_runtime::Shutdown;
use spin::Once;

use super::{Failure, expect};
use crate::kernel::Kernel;
use crate::lock::Lock;
use crate::{board, console, irq, say};

static LOCK: Lock<()> = Lock::new("the scenario's lock", ());
static HANDLE: Once<helix_runtime::Handle> = Once::new();

pub fn play(mut kernel: Kernel, case: &str) -> Result<(), Failure> {
    let misuse: fn() = match case {
        "alloc" => || drop(core::hint::black_box(Box::new(1))),
        "lock" => || drop(LOCK.lock()),
        "print" => || say!("from an interrupt"),
        "publish" => || drop(HANDLE.get().map(|handle| handle.publish(&Shutdown))),
        "twice" => {
            let _held = LOCK.lock();
            drop(LOCK.lock());
            return Err(Failure::new("a lock was had twice"));
        }
        _ => return log(&mut kernel).and_then(|()| kernel.shut_down()),
    };
    HANDLE.call_once(|| kernel.runtime.handle());
    irq::on_software(Some(misuse));
    board::interrupt_self();
    Err(Failure::new("the interrupt has returned, and nobody has said anything"))
}

/// The log is another matter: it must not be lost without a word, and must not hang.
fn log(kernel: &mut Kernel) -> Result<(), Failure> {
    irq::on_software(Some(|| log::warn!(target: "misuse", "something was seen")));
    board::interrupt_self();
    console::in_the_middle_of_a_line(|| {
        board::interrupt_self();
        board::interrupt_self();
    });
    say!("the kernel goes on");
    irq::on_software(None);
    kernel.start_timer();
    kernel.run_for(10);
    expect("whether the timer goes on", irq::ticks() >= 10, true)
}
