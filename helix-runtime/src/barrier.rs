//! A pair of memory barriers of unequal weight: the side that runs often pays nothing, the rare side pays for both.
//!
//! Of two threads of which each writes one place and then reads the other's, at least one sees the other's write, if one
//! has a [`Light`] barrier between and the other a [`heavy`] one. Where the system offers it (Linux' `membarrier`), the
//! light one is for the compiler alone, and the heavy one interrupts every running thread of the process. Elsewhere, and
//! where a sandbox forbids the call, both are a full fence. Which of the two is decided once.

use core::sync::atomic::{Ordering, fence};

/// The barrier of the side that runs often, and what it comes to here, looked up once for many barriers.
#[derive(Clone, Copy)]
pub(crate) struct Light(#[cfg(all(feature = "std", target_os = "linux", not(miri)))] bool);

#[cfg_attr(not(feature = "std"), expect(dead_code, reason = "only marks ask whether it is free"))]
impl Light {
    #[inline]
    pub(crate) fn get() -> Self {
        Self(
            #[cfg(all(feature = "std", target_os = "linux", not(miri)))]
            process::available(),
        )
    }

    /// For those who have asked whether it [is free](Self::is_free), and hold on to the answer.
    pub(crate) const FREE: Self = Self(
        #[cfg(all(feature = "std", target_os = "linux", not(miri)))]
        true,
    );

    /// Whether it costs nothing. Once it does, it does for ever.
    #[inline]
    pub(crate) fn is_free(self) -> bool {
        #[cfg(all(feature = "std", target_os = "linux", not(miri)))]
        return self.0;
        // Under miri it is a fence, but what it may do elsewhere is to be looked at there.
        #[cfg(not(all(feature = "std", target_os = "linux", not(miri))))]
        cfg!(miri)
    }

    #[inline]
    pub(crate) fn barrier(self) {
        #[cfg(all(feature = "std", target_os = "linux", not(miri)))]
        if self.0 {
            return core::sync::atomic::compiler_fence(Ordering::SeqCst);
        }
        fence(Ordering::SeqCst);
    }
}

/// The barrier of the rare side.
pub(crate) fn heavy() {
    fence(Ordering::SeqCst);
    #[cfg(all(feature = "std", target_os = "linux", not(miri)))]
    if process::available() {
        process::interrupt_all();
    }
}

#[cfg(all(feature = "std", target_os = "linux", not(miri)))]
mod process {
    use core::sync::atomic::{AtomicU8, Ordering};

    use rustix::thread::{MembarrierCommand, membarrier};

    const UNKNOWN: u8 = 0;
    const YES: u8 = 1;
    const NO: u8 = 2;

    static STATE: AtomicU8 = AtomicU8::new(UNKNOWN);

    /// Whether the system does it. Once decided it stays so: two threads that disagree would order nothing.
    #[inline]
    pub(super) fn available() -> bool {
        match STATE.load(Ordering::Relaxed) {
            UNKNOWN => decide(),
            state => state == YES,
        }
    }

    #[cold]
    fn decide() -> bool {
        let state = if membarrier(MembarrierCommand::RegisterPrivateExpedited).is_ok() { YES } else { NO };
        match STATE.compare_exchange(UNKNOWN, state, Ordering::SeqCst, Ordering::SeqCst) {
            Ok(_) => state == YES,
            Err(decided) => decided == YES,
        }
    }

    pub(super) fn interrupt_all() {
        if let Err(error) = membarrier(MembarrierCommand::PrivateExpedited) {
            // To go on without the barrier would free what another thread reads.
            panic!("membarrier was allowed once and is refused now: {error}; allow it in the sandbox");
        }
    }
}
