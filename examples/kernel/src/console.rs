//! What the kernel says: lines for the report, and the log.

use core::fmt::{self, Write};
use core::sync::atomic::{AtomicU32, Ordering};

use log::{LevelFilter, Metadata, Record};

use crate::lock::Lock;
use crate::{board, irq, kernel};

static CONSOLE: Lock<()> = Lock::new("the console", ());
/// Lines of the log that an interrupt had while somebody else was in the middle of one.
static UNHEARD: AtomicU32 = AtomicU32::new(0);

/// The console without its lock: for those who hold it, and for the last words.
pub struct Raw;

impl Write for Raw {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        board::write(text.as_bytes());
        Ok(())
    }
}

/// Writes a line. For task level.
pub fn print(line: fmt::Arguments<'_>) {
    let _held = CONSOLE.lock();
    write_line(line);
}

/// A line of the report, as `std`'s `println!`.
#[macro_export]
macro_rules! say {
    ($($text:tt)*) => { $crate::console::print(format_args!($($text)*)) };
}

fn write_line(line: fmt::Arguments<'_>) {
    let unheard = UNHEARD.swap(0, Ordering::Relaxed);
    if unheard > 0 {
        let _ = writeln!(Raw, "(the console was busy when {unheard} lines came from interrupts: they are lost)");
    }
    let _ = writeln!(Raw, "{line}");
}

/// Runs in the middle of a line.
pub fn in_the_middle_of_a_line(run: impl FnOnce()) {
    let _held = CONSOLE.lock();
    run();
}

struct Log;

/// Sends what modules log to the console.
pub fn take_over_log() {
    // Whoever was first has it.
    let _ = log::set_logger(&Log);
    log::set_max_level(LevelFilter::Info);
}

impl log::Log for Log {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.level() <= log::max_level()
    }

    fn log(&self, record: &Record<'_>) {
        if !self.enabled(record.metadata()) {
            return;
        }
        let at = kernel::now().as_millis();
        let from = if irq::is_active() { " in an interrupt" } else { "" };
        let line = format_args!("[{at:>5} ms] {} {}{from}: {}", record.level(), record.target(), record.args());
        // An interrupt cannot wait for the line that it interrupted, and neither can who logs while he is printed.
        match CONSOLE.try_lock() {
            Some(_held) => write_line(line),
            None => drop(UNHEARD.fetch_add(1, Ordering::Relaxed)),
        }
    }

    fn flush(&self) {}
}
