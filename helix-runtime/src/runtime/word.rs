//! The lock of one module: a word, and who must hold off.
//!
//! The word is `CLOSED` (nobody may enter), `OPEN`, `OPEN | ALONE` (one caller, or a transition, has the module to
//! itself), `OPEN` plus `READER` for each of those who share it, or `OPEN | GATE`: a module without a lock that a
//! transition waits to have to itself. A module with a lock is entered by a compare-and-swap and left by a plain store.
//! One without is only looked at: who is inside is known by the mark that each caller makes before it looks
//! (`readers.rs`).
//!
//! `holding_off` counts the reasons why those who come anew should wait although they could enter: callers who have
//! waited long already, and a transition. Whoever those would wait for may enter all the same.

use crate::sync::{AtomicU32, AtomicUsize, Ordering};

const CLOSED: usize = 0;
const OPEN: usize = 1;
const ALONE: usize = 2;
const GATE: usize = 4;
const READER: usize = 8;

/// How a call shares its module.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Access {
    /// The module has no lock.
    Free,
    /// Beside others who share it.
    Shared,
    /// Alone.
    Exclusive,
}

/// Why a module could not be entered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Refused {
    NotRunning,
    /// Someone is inside.
    Busy,
    /// It could be entered, but others come first.
    HeldOff,
    /// The caller's time is over, after it has waited so long. Without `std` nobody waits.
    #[cfg_attr(not(feature = "std"), expect(dead_code, reason = "nobody waits"))]
    Late(core::time::Duration),
}

pub(crate) struct Word {
    word: AtomicUsize,
    holding_off: AtomicU32,
}

impl Word {
    pub(crate) fn closed() -> Self {
        Self { word: AtomicUsize::new(CLOSED), holding_off: AtomicU32::new(0) }
    }

    /// Enters, or says why not. `barge` is for those whom the others wait for.
    ///
    /// With [`Access::Free`] the caller has made its mark, and a light barrier, before. Without `std` it has counted itself
    /// by an atomic, which must be in one order with this load and with what [`Word::close`] and [`Word::seize`] write.
    #[inline(always)]
    pub(crate) fn enter(&self, access: Access, barge: bool) -> Result<(), Refused> {
        let to = match access {
            Access::Free => return self.look(barge),
            Access::Shared => OPEN + READER,
            Access::Exclusive => OPEN | ALONE,
        };
        if (barge || self.holding_off.load(Ordering::Relaxed) == 0)
            && self.word.compare_exchange(OPEN, to, Ordering::Acquire, Ordering::Relaxed).is_ok()
        {
            return Ok(());
        }
        self.enter_slowly(access, barge)
    }

    /// Whether a module without a lock may be entered: nobody asks those who come to hold off but by its gate.
    #[inline(always)]
    pub(crate) fn look(&self, barge: bool) -> Result<(), Refused> {
        if self.word.load(Ordering::SeqCst) == OPEN { Ok(()) } else { self.enter_slowly(Access::Free, barge) }
    }

    #[cold]
    fn enter_slowly(&self, access: Access, barge: bool) -> Result<(), Refused> {
        let mut word = self.word.load(Ordering::SeqCst);
        loop {
            if word & OPEN == 0 {
                return Err(Refused::NotRunning);
            }
            let taken = match access {
                Access::Exclusive => word != OPEN,
                Access::Shared | Access::Free => word & ALONE != 0,
            };
            if taken {
                return Err(Refused::Busy);
            }
            if !barge && (word & GATE != 0 || self.holding_off.load(Ordering::Relaxed) != 0) {
                return Err(Refused::HeldOff);
            }
            let to = match access {
                Access::Free => return Ok(()),
                Access::Shared => word + READER,
                Access::Exclusive => OPEN | ALONE,
            };
            match self.word.compare_exchange_weak(word, to, Ordering::Acquire, Ordering::SeqCst) {
                Ok(_) => return Ok(()),
                Err(now) => word = now,
            }
        }
    }

    /// Leaves; what was done inside is seen by whoever enters next.
    #[inline(always)]
    pub(crate) fn leave(&self, access: Access) {
        match access {
            Access::Free => {}
            Access::Shared => drop(self.word.fetch_sub(READER, Ordering::Release)),
            // Nobody else changes the word of a module that someone has to himself.
            Access::Exclusive => self.word.store(OPEN, Ordering::Release),
        }
    }

    /// Leaves a module that must not be entered again. Others may still be inside if it was shared.
    pub(crate) fn leave_closed(&self, access: Access) {
        match access {
            Access::Exclusive => self.word.store(CLOSED, Ordering::Release),
            Access::Shared => {
                self.word.fetch_and(!OPEN, Ordering::Release);
                self.word.fetch_sub(READER, Ordering::Release);
            }
            Access::Free => drop(self.word.fetch_and(!OPEN, Ordering::Release)),
        }
    }

    /// Asks those who come anew to wait, until `release` was called as often.
    pub(crate) fn hold_off(&self) {
        self.holding_off.fetch_add(1, Ordering::Relaxed);
    }

    /// The same, until the guard goes.
    pub(crate) fn held_off(&self) -> HeldOff<'_> {
        self.hold_off();
        HeldOff(self)
    }

    pub(crate) fn release(&self) {
        self.holding_off.fetch_sub(1, Ordering::Relaxed);
    }

    /// Asks those who come anew to a module without a lock to wait. It is no longer open if this fails.
    pub(crate) fn gate(&self) -> bool {
        self.word.compare_exchange(OPEN, OPEN | GATE, Ordering::AcqRel, Ordering::Relaxed).is_ok()
    }

    /// Takes a module without a lock for oneself; who is inside already is seen by its mark, after a heavy barrier.
    pub(crate) fn seize(&self) -> bool {
        self.word.compare_exchange(OPEN | GATE, OPEN | ALONE, Ordering::SeqCst, Ordering::Relaxed).is_ok()
    }

    /// Gives it back, for those who may pass the gate.
    pub(crate) fn yield_back(&self) {
        let _ = self.word.compare_exchange(OPEN | ALONE, OPEN | GATE, Ordering::AcqRel, Ordering::Relaxed);
    }

    /// Opens a module's gate again, unless it was closed meanwhile.
    pub(crate) fn ungate(&self) {
        for gated in [OPEN | GATE, OPEN | ALONE] {
            let _ = self.word.compare_exchange(gated, OPEN, Ordering::AcqRel, Ordering::Relaxed);
        }
    }

    /// Lets callers in. For whoever has the module to himself.
    pub(crate) fn open(&self) {
        self.word.store(OPEN, Ordering::Release);
    }

    /// Lets nobody in any more. For whoever has the module to himself, or one without a lock.
    pub(crate) fn close(&self) {
        self.word.store(CLOSED, Ordering::SeqCst);
    }

    /// Whether it is open and nobody is counted inside.
    #[cfg(feature = "std")]
    pub(crate) fn is_empty(&self) -> bool {
        self.word.load(Ordering::Relaxed) == OPEN
    }

    /// Whether it is closed and nobody is counted inside.
    pub(crate) fn is_vacant(&self) -> bool {
        self.word.load(Ordering::Acquire) == CLOSED
    }

    pub(crate) fn is_open(&self) -> bool {
        self.word.load(Ordering::Acquire) & OPEN != 0
    }
}

/// Those who come anew hold off.
pub(crate) struct HeldOff<'a>(&'a Word);

impl Drop for HeldOff<'_> {
    fn drop(&mut self) {
        self.0.release();
    }
}
