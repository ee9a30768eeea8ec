//! An interrupt line: no raise is lost, none is counted twice, and what the raiser wrote before is seen.

#[path = "../../src/irq/line.rs"]
mod line;

use crate::sync::{AtomicU32, Ordering};
use line::IrqLine;
use loom::sync::Arc;
use loom::thread;

impl IrqLine {
    fn new() -> Self {
        Self { raised: AtomicU32::new(0), taken: AtomicU32::new(0) }
    }
}

#[test]
fn a_line_loses_no_raise_and_counts_none_twice() {
    loom::model(|| {
        let line = Arc::new(IrqLine::new());
        let raiser = thread::spawn({
            let line = line.clone();
            move || (0..3).for_each(|_| line.raise())
        });
        let mut taken = line.take();
        assert!(!line.is_raised() || line.pending() <= 3 - taken);
        taken += line.take();
        raiser.join().unwrap();
        assert_eq!(taken + line.take(), 3);
        assert!(!line.is_raised());
    });
}

#[test]
fn what_was_written_before_a_raise_is_seen_by_the_taker() {
    loom::model(|| {
        let shared = Arc::new((IrqLine::new(), AtomicU32::new(0)));
        let raiser = thread::spawn({
            let shared = shared.clone();
            move || {
                shared.1.store(7, Ordering::Relaxed);
                shared.0.raise();
            }
        });
        if shared.0.take() == 1 {
            assert_eq!(shared.1.load(Ordering::Relaxed), 7);
        }
        raiser.join().unwrap();
    });
}
