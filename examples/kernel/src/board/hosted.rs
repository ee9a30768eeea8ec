//! A process: interrupts are signals, which interrupt it between any two instructions as a machine's would.

use std::mem::MaybeUninit;
use std::ptr::null_mut;
use std::sync::atomic::{AtomicBool, Ordering};

use libc::{SIGABRT, SIGALRM, SIGIO, SIGUSR1, c_int, sigset_t};

use super::Fault;
use crate::status::Status;
use crate::stop::stop;
use crate::{heap, irq};

pub const NAME: &str = "a process";
pub const CLOCK_UNIT: &str = "nanoseconds";

const STDIN: c_int = 0;
const STDOUT: c_int = 1;
const TIMER: c_int = SIGALRM;
const SERIAL: c_int = SIGIO;
const SOFTWARE: c_int = SIGUSR1;

/// Whether the console has more than was read, and whether it has come to its end.
static IS_LEFT: AtomicBool = AtomicBool::new(false);
static HAS_ENDED: AtomicBool = AtomicBool::new(false);

/// The signals that stand for interrupts.
fn interrupts() -> sigset_t {
    let mut set = MaybeUninit::uninit();
    // SAFETY: `sigemptyset` makes it a set.
    unsafe {
        libc::sigemptyset(set.as_mut_ptr());
        for signal in [TIMER, SERIAL, SOFTWARE] {
            libc::sigaddset(set.as_mut_ptr(), signal);
        }
        set.assume_init()
    }
}

extern "C" fn on_signal(signal: c_int) {
    // SAFETY: the place is this thread's own.
    let errno = unsafe { &mut *libc::__errno_location() };
    let interrupted = *errno;
    match signal {
        TIMER => irq::timer(),
        SERIAL => receive(),
        SOFTWARE => irq::software(),
        // std gives up without a panic when memory is used up.
        _ if heap::has_just_refused() => {
            stop(Status::Memory, format_args!("there is no memory for what was asked for"))
        }
        _ => stop(Status::Panic, format_args!("std has given up")),
    }
    *errno = interrupted;
}

pub fn init() {
    disable_interrupts();
    // No interrupt interrupts another.
    for signal in [TIMER, SERIAL, SOFTWARE, SIGABRT] {
        // SAFETY: the handler does what an interrupt may do: it stores, and writes to a descriptor where all ends.
        unsafe {
            let mut action: libc::sigaction = core::mem::zeroed();
            action.sa_sigaction = on_signal as *const () as usize;
            action.sa_mask = interrupts();
            action.sa_flags = libc::SA_RESTART;
            libc::sigaction(signal, &raw const action, null_mut());
        }
    }
}

pub fn command_line(buffer: &mut [u8]) -> Option<&str> {
    let line = std::env::args_os().skip(1).collect::<Vec<_>>().join(" ".as_ref());
    let copy = buffer.get_mut(..line.len())?;
    copy.copy_from_slice(line.as_encoded_bytes());
    std::str::from_utf8(copy).ok()
}

pub fn write(mut bytes: &[u8]) {
    while !bytes.is_empty() {
        // SAFETY: the bytes are there.
        let written = unsafe { libc::write(STDOUT, bytes.as_ptr().cast(), bytes.len()) };
        match usize::try_from(written) {
            Ok(written) => bytes = &bytes[written..],
            // SAFETY: the place is this thread's own.
            Err(_) if unsafe { *libc::__errno_location() } == libc::EINTR => {}
            // Nobody reads any more.
            Err(_) => return,
        }
    }
}

fn set_timer(period_us: i64) {
    let period = libc::timeval { tv_sec: 0, tv_usec: period_us };
    let timer = libc::itimerval { it_interval: period, it_value: period };
    // SAFETY: the timer sends a signal that has a handler.
    unsafe { libc::setitimer(libc::ITIMER_REAL, &raw const timer, null_mut()) };
}

pub fn start_timer(hz: u32) {
    set_timer(1_000_000 / i64::from(hz));
}

pub fn stop_timer() {
    set_timer(0);
}

/// The system sends a signal when there is something to read; what is there already is read at once.
pub fn listen() {
    // SAFETY: they concern this process' own standard input, and signals that have a handler.
    unsafe {
        libc::fcntl(STDIN, libc::F_SETOWN, libc::getpid());
        let flags = libc::fcntl(STDIN, libc::F_GETFL);
        libc::fcntl(STDIN, libc::F_SETFL, flags | libc::O_ASYNC);
        libc::raise(SERIAL);
    }
}

/// As many bytes as may come at once; what is left is for the next time that the processor would wait.
fn receive() {
    const AT_ONCE: u32 = 64;
    /// End of transmission: what a terminal sends when its user leaves.
    const END: u8 = 4;
    for _ in 0..AT_ONCE {
        let mut ready = libc::pollfd { fd: STDIN, events: libc::POLLIN, revents: 0 };
        let mut byte = 0_u8;
        // SAFETY: the descriptor's entry and the byte are there.
        let read = unsafe {
            if HAS_ENDED.load(Ordering::Relaxed) || libc::poll(&raw mut ready, 1, 0) <= 0 {
                return;
            }
            libc::read(STDIN, (&raw mut byte).cast(), 1)
        };
        if read != 1 {
            HAS_ENDED.store(true, Ordering::Relaxed);
            return irq::serial(END);
        }
        irq::serial(byte);
    }
    IS_LEFT.store(true, Ordering::Relaxed);
}

pub fn interrupt_self() {
    // SAFETY: the signal has a handler, which returns.
    unsafe { libc::raise(SOFTWARE) };
}

pub fn nanoseconds() -> u64 {
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: the place is there.
    unsafe { libc::clock_gettime(libc::CLOCK_MONOTONIC, &raw mut time) };
    time.tv_sec as u64 * 1_000_000_000 + time.tv_nsec as u64
}

pub fn disable_interrupts() {
    let set = interrupts();
    // SAFETY: it concerns this thread's own signals.
    unsafe { libc::sigprocmask(libc::SIG_BLOCK, &raw const set, null_mut()) };
}

pub fn enable_interrupts() {
    let set = interrupts();
    // SAFETY: as above.
    unsafe { libc::sigprocmask(libc::SIG_UNBLOCK, &raw const set, null_mut()) };
}

/// In one step, as `sigsuspend` is made for.
pub fn enable_interrupts_and_wait() {
    if IS_LEFT.swap(false, Ordering::Relaxed) {
        // SAFETY: the signal has a handler, and waits until it is let in.
        unsafe { libc::raise(SERIAL) };
    }
    let mut none = MaybeUninit::uninit();
    // SAFETY: `sigemptyset` makes it a set.
    unsafe {
        libc::sigemptyset(none.as_mut_ptr());
        libc::sigsuspend(none.as_ptr());
    }
    enable_interrupts();
}

pub fn exit(status: Status) -> ! {
    // SAFETY: nobody else is there who would have to be asked.
    unsafe { libc::_exit(status.code().into()) }
}

/// A process's own faults are its system's.
pub fn fault(_: Fault) {}
