//! SIGALRM standing in for an interrupt: it strikes the thread that asked for it, between any two of its instructions,
//! and is masked and awaited as an interrupt is.
#![allow(dead_code, reason = "each test uses a part")]

use std::ffi::c_int;
use std::mem::{MaybeUninit, zeroed};
use std::ptr::null_mut;
use std::time::Duration;

/// A timer that interrupts the thread that made it.
pub struct Timer(libc::timer_t);

impl Timer {
    /// Makes `handler` the program's interrupt handler. The timer is not armed yet.
    pub fn new(handler: extern "C" fn(c_int)) -> Self {
        // SAFETY: both structures are plain data for which zeros are valid; the handler's type is that of the signal's.
        unsafe {
            let mut action: libc::sigaction = zeroed();
            action.sa_sigaction = handler as *const () as usize;
            action.sa_flags = libc::SA_RESTART;
            assert_eq!(libc::sigaction(libc::SIGALRM, &action, null_mut()), 0);
            let mut event: libc::sigevent = zeroed();
            event.sigev_notify = libc::SIGEV_THREAD_ID;
            event.sigev_signo = libc::SIGALRM;
            event.sigev_notify_thread_id = libc::gettid();
            let mut timer = MaybeUninit::uninit();
            assert_eq!(libc::timer_create(libc::CLOCK_MONOTONIC, &mut event, timer.as_mut_ptr()), 0);
            Self(timer.assume_init())
        }
    }

    /// Interrupts after a while, and from then on at each `period`; once, if that is zero.
    pub fn arm(&self, after: Duration, period: Duration) {
        let time = |duration: Duration| libc::timespec {
            tv_sec: duration.as_secs().try_into().unwrap(),
            tv_nsec: duration.subsec_nanos().into(),
        };
        let times = libc::itimerspec { it_interval: time(period), it_value: time(after) };
        // SAFETY: the timer exists until the drop.
        assert_eq!(unsafe { libc::timer_settime(self.0, 0, &times, null_mut()) }, 0);
    }
}

impl Drop for Timer {
    fn drop(&mut self) {
        // SAFETY: it is not used any more.
        unsafe { libc::timer_delete(self.0) };
    }
}

/// Interrupts of this thread are disabled as long as this lives.
pub struct Disabled {
    before: libc::sigset_t,
}

impl Disabled {
    pub fn new() -> Self {
        // SAFETY: the sets are plain data, written by the calls before they are read.
        unsafe {
            let mut alarm = zeroed();
            libc::sigemptyset(&mut alarm);
            libc::sigaddset(&mut alarm, libc::SIGALRM);
            let mut before = zeroed();
            assert_eq!(libc::pthread_sigmask(libc::SIG_BLOCK, &alarm, &mut before), 0);
            Self { before }
        }
    }

    /// Enables interrupts and waits for one, in one step.
    pub fn enable_and_wait(self) {
        // SAFETY: the set is a valid one.
        unsafe { libc::sigsuspend(&self.before) };
    }
}

impl Drop for Disabled {
    fn drop(&mut self) {
        // SAFETY: the set is a valid one.
        unsafe { libc::pthread_sigmask(libc::SIG_SETMASK, &self.before, null_mut()) };
    }
}

/// Interrupts this thread: at once, or as soon as interrupts are enabled.
pub fn interrupt_now() {
    // SAFETY: the thread is alive, being the one that asks.
    assert_eq!(unsafe { libc::pthread_kill(libc::pthread_self(), libc::SIGALRM) }, 0);
}

/// Fails the test instead of hanging it.
pub fn within(deadline: Duration, run: impl FnOnce() + Send + 'static) {
    let (done, finished) = std::sync::mpsc::channel::<()>();
    let thread = std::thread::spawn(move || {
        run();
        drop(done);
    });
    let timeout = finished.recv_timeout(deadline);
    assert_ne!(timeout, Err(std::sync::mpsc::RecvTimeoutError::Timeout), "it hangs");
    thread.join().unwrap();
}
