//! What an interrupt must not do says so in a debug build, instead of hanging. The detector is the program's, so this is
//! a program of its own.
#![cfg(debug_assertions)]
#![allow(missing_docs)]

use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::task::{Context, Waker};

use helix_runtime::channel::{channel, oneshot, spsc};
use helix_runtime::irq::{self, IrqLine};

thread_local! {
    static IN_INTERRUPT: Cell<bool> = const { Cell::new(false) };
}

/// Runs it as an interrupt would, and gives what it panics with.
fn in_interrupt<R>(run: impl FnOnce() -> R) -> Result<(), String> {
    irq::detect_with(|| IN_INTERRUPT.get());
    IN_INTERRUPT.set(true);
    let result = catch_unwind(AssertUnwindSafe(run));
    IN_INTERRUPT.set(false);
    result.map(|_| ()).map_err(|panic| panic.downcast_ref::<String>().cloned().unwrap_or_default())
}

#[test]
fn raising_and_pushing_are_allowed_in_an_interrupt() {
    static LINE: IrqLine = IrqLine::new();
    let (mut producer, mut consumer) = spsc(1);
    let result = in_interrupt(|| {
        assert!(irq::is_active());
        LINE.raise();
        producer.push(1).unwrap();
        producer.push(2).unwrap_err();
    });
    assert_eq!(result, Ok(()));
    assert!(!irq::is_active());
    assert_eq!((LINE.take(), consumer.pop(), consumer.take_overflowed()), (1, Ok(1), 1));
}

#[test]
fn sending_and_receiving_in_an_interrupt_panic_with_the_reason() {
    let (tx, rx) = channel(1);
    let (answer, answered) = oneshot();
    let reasons = [
        in_interrupt(|| tx.send(1)),
        in_interrupt(|| rx.try_recv()),
        in_interrupt(|| answer.send(1)),
        in_interrupt(|| answered.try_recv()),
    ];
    for reason in reasons {
        let reason = reason.unwrap_err();
        assert!(reason.contains("in an interrupt") && reason.contains("IrqLine"), "{reason}");
    }
}

#[test]
fn the_runtimes_lock_in_an_interrupt_panics_with_the_reason() {
    let (_tx, rx) = channel::<u8>(1);
    let mut next = pin!(rx.recv_async());
    let reason = in_interrupt(|| next.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_ready());
    assert!(reason.unwrap_err().contains("a lock of the runtime was asked for in an interrupt"));
}
