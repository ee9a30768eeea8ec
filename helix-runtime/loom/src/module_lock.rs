//! The lock of a module: one alone or several side by side, what was done inside is seen by those who come after, and who
//! must hold off does.

use crate::word::{Access, Refused, Word};
use crate::{Seen, among_three};
use loom::cell::UnsafeCell;
use loom::sync::Arc;
use loom::thread;

struct Module {
    word: Word,
    data: UnsafeCell<u32>,
}

impl Module {
    fn new() -> Arc<Self> {
        let module = Self { word: Word::closed(), data: UnsafeCell::new(0) };
        module.word.open();
        Arc::new(module)
    }

    /// What a handler does: one that takes `&mut self` writes, one that takes `&self` reads.
    fn handle(&self, access: Access) {
        match access {
            // SAFETY: loom lends the cell, and ends the proof if someone else has it.
            Access::Exclusive => self.data.with_mut(|data| unsafe { *data += 1 }),
            // SAFETY: loom lends the cell, and ends the proof if someone else has it.
            _ => self.data.with(|data| assert!(unsafe { *data } < 10)),
        }
    }

    fn call(&self, access: Access, barge: bool) -> Result<(), Refused> {
        self.word.enter(access, barge)?;
        self.handle(access);
        self.word.leave(access);
        Ok(())
    }

    fn crash(&self, access: Access) -> Result<(), Refused> {
        self.word.enter(access, false)?;
        self.handle(access);
        self.word.leave_closed(access);
        Ok(())
    }
}

fn run(module: &Arc<Module>, work: impl FnOnce(&Module) + 'static) -> thread::JoinHandle<()> {
    let module = module.clone();
    thread::spawn(move || work(&module))
}

use Access::{Exclusive, Shared};

#[test]
fn who_is_alone_is_alone_and_sees_what_was_done() {
    static BUSY: Seen = Seen::new();
    for (one, other) in [(Exclusive, Exclusive), (Exclusive, Shared), (Shared, Exclusive)] {
        loom::model(move || {
            let module = Module::new();
            let caller = run(&module, move |module| {
                for _ in 0..2 {
                    if module.call(one, false) == Err(Refused::Busy) {
                        BUSY.note();
                    }
                }
            });
            let _ = module.call(other, false);
            caller.join().unwrap();
            assert_eq!(module.call(Exclusive, false), Ok(()), "everybody has left");
        });
    }
    BUSY.check("someone was inside");
}

#[test]
fn those_who_share_go_in_side_by_side() {
    loom::model(|| {
        let module = Module::new();
        let caller = run(&module, |module| assert_eq!(module.call(Shared, false), Ok(())));
        assert_eq!(module.call(Shared, false), Ok(()));
        caller.join().unwrap();
        assert_eq!(module.call(Exclusive, false), Ok(()));
    });
}

#[test]
fn two_who_share_and_one_alone_exclude_each_other() {
    among_three(3, || {
        let module = Module::new();
        let sharer = run(&module, |module| {
            let _ = module.call(Shared, false);
        });
        let loner = run(&module, |module| {
            let _ = module.call(Exclusive, false);
        });
        let _ = module.call(Shared, false);
        sharer.join().unwrap();
        loner.join().unwrap();
        assert_eq!(module.call(Exclusive, false), Ok(()));
    });
}

#[test]
fn a_crashed_module_is_vacant_when_the_last_who_shared_it_has_left() {
    static VACANT: Seen = Seen::new();
    static OCCUPIED: Seen = Seen::new();
    among_three(3, || {
        let module = Module::new();
        let sharer = run(&module, |module| {
            let _ = module.call(Shared, false);
        });
        let writer = run(&module, |module| {
            if module.word.is_vacant() {
                VACANT.note();
                // It is destroyed.
                // SAFETY: loom lends the cell, and ends the proof if someone else has it.
                module.data.with_mut(|data| unsafe { *data = 100 });
            } else {
                OCCUPIED.note();
            }
        });
        assert_eq!(module.crash(Shared), Ok(()));
        sharer.join().unwrap();
        writer.join().unwrap();
        assert!(module.word.is_vacant() && !module.word.is_open());
        assert_eq!(module.call(Shared, true), Err(Refused::NotRunning));
    });
    VACANT.check("both had left");
    OCCUPIED.check("someone was inside");
}

#[test]
fn a_module_that_crashes_with_someone_alone_inside_is_vacant_after() {
    loom::model(|| {
        let module = Module::new();
        let crasher = run(&module, |module| {
            let _ = module.crash(Exclusive);
        });
        let called = module.call(Exclusive, false);
        if module.word.is_vacant() {
            // SAFETY: loom lends the cell, and ends the proof if someone else has it.
            module.data.with_mut(|data| unsafe { *data = 100 });
        }
        crasher.join().unwrap();
        assert!(called.is_ok() || !module.word.is_open() || module.call(Shared, false).is_ok());
    });
}

#[test]
fn a_transition_has_a_module_alone_while_newcomers_hold_off() {
    static HAD: Seen = Seen::new();
    static HELD_OFF: Seen = Seen::new();
    for access in [Exclusive, Shared] {
        loom::model(move || {
            let module = Module::new();
            let caller = run(&module, move |module| {
                if module.call(access, false) == Err(Refused::HeldOff) {
                    HELD_OFF.note();
                }
            });
            // `Gate::close`, and `open` or `shut`.
            module.word.hold_off();
            if module.word.enter(Exclusive, true).is_ok() {
                HAD.note();
                module.handle(Exclusive);
                module.word.leave(Exclusive);
            }
            module.word.release();
            caller.join().unwrap();
            assert_eq!(module.call(access, false), Ok(()), "the gate is open again");
        });
    }
    HAD.check("nobody was inside");
    HELD_OFF.check("the caller came to a gate");
}

#[test]
fn who_comes_after_one_who_waits_holds_off_and_whom_he_waits_for_does_not() {
    loom::model(|| {
        let module = Module::new();
        module.word.hold_off();
        let caller = run(&module, |module| {
            assert!(matches!(module.call(Shared, false), Err(Refused::HeldOff | Refused::Busy)));
            assert_ne!(module.call(Shared, true), Err(Refused::HeldOff));
        });
        let _ = module.call(Exclusive, true);
        caller.join().unwrap();
        module.word.release();
        assert_eq!(module.call(Shared, false), Ok(()));
    });
}

#[test]
fn what_a_transition_has_done_is_seen_by_those_whom_it_lets_in() {
    static LET_IN: Seen = Seen::new();
    for access in [Exclusive, Shared] {
        loom::model(move || {
            let module = Arc::new(Module { word: Word::closed(), data: UnsafeCell::new(0) });
            let caller = run(&module, move |module| {
                if module.call(access, false).is_ok() {
                    LET_IN.note();
                }
            });
            module.handle(Exclusive);
            module.word.open();
            caller.join().unwrap();
        });
    }
    LET_IN.check("the caller came after");
}
