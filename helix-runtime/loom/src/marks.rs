//! A mark and the word: whoever closes or seizes a module without a lock, and then finds no mark, has it to himself; as
//! `Instance::enter`, `Gate`, `Inner::vacate` and `Inner::unload` do it.

use core::ops::Range;

use crate::readers::Record;
use crate::sync::{Light, heavy};
use crate::word::{Access, Refused, Word};
use crate::{Seen, among_three};
use loom::cell::UnsafeCell;
use loom::sync::Arc;
use loom::thread;

/// The marks of a module's handlers, one of them, and one of another module.
const PLACE: Range<usize> = 0x100..0x108;
const HANDLER: usize = 0x107;
const ELSEWHERE: usize = 0x108;

struct Module {
    word: Word,
    /// What handlers work on; nobody reads it once it is `None`.
    data: UnsafeCell<Option<u32>>,
    callers: [Record; 2],
}

impl Module {
    fn new() -> Arc<Self> {
        let callers = [Record::new(), Record::new()];
        let module = Self { word: Word::closed(), data: UnsafeCell::new(Some(0)), callers };
        module.word.open();
        Arc::new(module)
    }

    /// `Instance::enter`, a handler that takes `&self`, and the end of the call.
    fn call(&self, caller: usize, barge: bool) -> Result<(), Refused> {
        self.enter(caller, barge)?;
        self.word.leave(Access::Free);
        self.callers[caller].mark(0).clear();
        Ok(())
    }

    fn enter(&self, caller: usize, barge: bool) -> Result<(), Refused> {
        self.callers[caller].mark(0).set(HANDLER, Light::get());
        if let Err(refused) = self.word.enter(Access::Free, barge) {
            self.callers[caller].mark(0).clear();
            return Err(refused);
        }
        // SAFETY: loom lends the cell, and ends the proof if someone else has it.
        self.data.with(|data| assert!(unsafe { (*data).is_some() }, "called after it was destroyed"));
        Ok(())
    }

    /// `Calls::inside`.
    fn inside(&self) -> Option<usize> {
        heavy();
        self.callers.iter().find_map(|caller| caller.is_in(&PLACE))
    }

    /// `Inner::unload`.
    fn unload(&self) -> bool {
        let is_empty = self.word.is_vacant() && self.inside().is_none();
        if is_empty {
            // SAFETY: loom lends the cell, and ends the proof if someone else has it.
            self.data.with_mut(|data| unsafe { *data = None });
        }
        is_empty
    }

    /// `Gate::take`.
    fn take(&self) -> bool {
        if !self.word.seize() {
            return false;
        }
        let is_empty = self.inside().is_none();
        if !is_empty {
            self.word.yield_back();
        }
        is_empty
    }

    /// What a transition does that has the module to itself.
    fn change(&self) {
        // SAFETY: loom lends the cell, and ends the proof if someone else has it.
        self.data.with_mut(|data| unsafe { *data = (*data).map(|value| value + 1) });
    }
}

#[test]
fn a_module_is_destroyed_only_when_nobody_is_inside_and_nobody_can_come() {
    static CALLED: Seen = Seen::new();
    static REFUSED: Seen = Seen::new();
    static DESTROYED: Seen = Seen::new();
    static SPARED: Seen = Seen::new();
    loom::model(|| {
        let module = Module::new();
        let caller = thread::spawn({
            let module = module.clone();
            move || match module.call(0, false) {
                Ok(()) => CALLED.note(),
                Err(refused) => {
                    assert_eq!(refused, Refused::NotRunning);
                    REFUSED.note();
                }
            }
        });
        module.word.close();
        if module.unload() {
            DESTROYED.note()
        } else {
            SPARED.note()
        }
        caller.join().unwrap();
    });
    CALLED.check("the call came first");
    REFUSED.check("the call came too late");
    DESTROYED.check("nobody was inside");
    SPARED.check("someone was inside");
}

#[test]
fn a_caller_that_went_on_to_another_module_has_left_the_first() {
    static DESTROYED: Seen = Seen::new();
    loom::model(|| {
        let module = Module::new();
        let caller = thread::spawn({
            let module = module.clone();
            move || {
                let _ = module.call(0, false);
                module.callers[0].mark(0).set(ELSEWHERE, Light::get());
            }
        });
        module.word.close();
        if module.unload() {
            DESTROYED.note();
        }
        caller.join().unwrap();
    });
    DESTROYED.check("nobody was inside");
}

#[test]
fn a_mark_names_its_handler() {
    static FOUND: Seen = Seen::new();
    loom::model(|| {
        let module = Module::new();
        let caller = thread::spawn({
            let module = module.clone();
            move || {
                let _ = module.call(0, false);
            }
        });
        if let Some(handler) = module.inside() {
            assert_eq!(handler, HANDLER);
            FOUND.note();
        }
        caller.join().unwrap();
    });
    FOUND.check("the caller was found inside");
}

#[test]
fn a_seized_module_is_had_alone_and_those_who_come_after_see_what_was_done() {
    static HAD: Seen = Seen::new();
    static BUSY: Seen = Seen::new();
    for barge in [false, true] {
        loom::model(move || {
            let module = Module::new();
            let caller = thread::spawn({
                let module = module.clone();
                move || {
                    let _ = module.call(0, barge);
                }
            });
            assert!(module.word.gate());
            if module.take() {
                HAD.note();
                module.change();
            } else {
                BUSY.note();
            }
            module.word.ungate();
            caller.join().unwrap();
            assert!(module.call(1, false).is_ok(), "the gate is open again");
        });
    }
    HAD.check("nobody was inside");
    BUSY.check("someone was inside");
}

#[test]
fn a_gate_that_is_given_back_lets_in_those_who_may_pass_and_no_one_else() {
    static PASSED: Seen = Seen::new();
    loom::model(|| {
        let module = Module::new();
        assert!(module.word.gate());
        let caller = thread::spawn({
            let module = module.clone();
            move || {
                assert!(matches!(module.word.enter(Access::Free, false), Err(Refused::HeldOff | Refused::Busy)));
                if module.call(0, true).is_ok() {
                    PASSED.note();
                }
            }
        });
        if module.take() {
            module.change();
            module.word.yield_back();
        }
        caller.join().unwrap();
    });
    PASSED.check("the gate was passed");
}

#[test]
fn a_seized_module_is_closed_and_destroyed() {
    static DESTROYED: Seen = Seen::new();
    loom::model(|| {
        let module = Module::new();
        let caller = thread::spawn({
            let module = module.clone();
            move || {
                let _ = module.call(0, false);
            }
        });
        assert!(module.word.gate());
        if module.take() {
            module.change();
            module.word.close();
            if module.unload() {
                DESTROYED.note();
            }
        }
        module.word.ungate();
        caller.join().unwrap();
    });
    DESTROYED.check("nobody was inside");
}

#[test]
fn a_module_that_has_crashed_stays_closed_whatever_its_gate_does() {
    static SEIZED: Seen = Seen::new();
    loom::model(|| {
        let module = Module::new();
        let caller = thread::spawn({
            let module = module.clone();
            move || {
                if module.enter(0, false).is_ok() {
                    module.word.leave_closed(Access::Free);
                    module.callers[0].mark(0).clear();
                    return true;
                }
                false
            }
        });
        if module.word.gate() {
            if module.take() {
                SEIZED.note();
                module.change();
            }
            module.word.ungate();
        }
        let crashed = caller.join().unwrap();
        assert_eq!(module.word.is_open(), !crashed);
        assert_eq!(module.call(1, true).is_ok(), !crashed);
    });
    SEIZED.check("nobody was inside");
}

#[test]
fn a_module_that_one_caller_has_crashed_is_destroyed_after_the_other_has_left() {
    static DESTROYED: Seen = Seen::new();
    static SPARED: Seen = Seen::new();
    among_three(2, || {
        let module = Module::new();
        let caller = thread::spawn({
            let module = module.clone();
            move || {
                let _ = module.call(1, false);
            }
        });
        let writer = thread::spawn({
            let module = module.clone();
            move || if module.unload() { DESTROYED.note() } else { SPARED.note() }
        });
        assert_eq!(module.enter(0, false), Ok(()));
        module.word.leave_closed(Access::Free);
        module.callers[0].mark(0).clear();
        caller.join().unwrap();
        writer.join().unwrap();
    });
    DESTROYED.check("both had left");
    SPARED.check("someone was inside");
}
