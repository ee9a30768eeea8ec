//! The end that was not planned: what happened, in which module, and the status for it.

use core::fmt::{self, Write};
use core::sync::atomic::{AtomicBool, Ordering};

use crate::console::Raw;
use crate::status::Status;
use crate::{board, heap, irq, kernel};

/// Says why, and who is to blame, and ends. It takes no lock and allocates nothing: both may be what went wrong.
pub fn stop(status: Status, why: fmt::Arguments<'_>) -> ! {
    static STOPPING: AtomicBool = AtomicBool::new(false);

    board::disable_interrupts();
    // What is said below may go wrong too.
    if !STOPPING.swap(true, Ordering::Relaxed) {
        let _ = writeln!(Raw, "\nkernel stopped: {why}");
        let module = kernel::current_module();
        let _ = match (irq::is_active(), module) {
            (true, Some(module)) => writeln!(Raw, "  in an interrupt, which came in the middle of the module {module}"),
            (true, None) => writeln!(Raw, "  in an interrupt"),
            (false, Some(module)) => writeln!(Raw, "  in the module {module}"),
            (false, None) => Ok(()),
        };
    }
    board::exit(status)
}

/// Stops for a panic. The one by which `alloc` says that memory is used up has a status of its own.
fn stop_for(message: fmt::Arguments<'_>, file: &str, line: u32) -> ! {
    let mut begins = Beginning { expected: b"panic: memory allocation of ", found: 0, differs: false };
    let _ = write!(begins, "{message}");
    let is_out_of_memory = heap::has_just_refused() && begins.found == begins.expected.len() && !begins.differs;
    let status = if is_out_of_memory { Status::Memory } else { Status::Panic };
    // The file's last name: where the sources lie is another matter on every machine.
    let file = file.rsplit(['/', '\\']).next().unwrap_or(file);
    stop(status, format_args!("{message}\n  at {file}:{line}"))
}

/// Whether a text begins with another, found out without memory for it.
struct Beginning {
    expected: &'static [u8],
    found: usize,
    differs: bool,
}

impl Write for Beginning {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        let rest = &self.expected[self.found..];
        let compared = rest.len().min(text.len());
        self.differs |= rest[..compared] != text.as_bytes()[..compared];
        self.found += compared;
        Ok(())
    }
}

#[cfg(target_os = "none")]
#[panic_handler]
fn panicked(info: &core::panic::PanicInfo<'_>) -> ! {
    let (file, line) = info.location().map_or(("?", 0), |location| (location.file(), location.line()));
    stop_for(format_args!("panic: {}", info.message()), file, line)
}

/// In a process the same happens before anything is unwound, and when std gives up for want of memory.
#[cfg(not(target_os = "none"))]
pub fn take_over_panics() {
    std::panic::set_hook(Box::new(|info| {
        let (file, line) = info.location().map_or(("?", 0), |location| (location.file(), location.line()));
        let message = info.payload_as_str().unwrap_or("no message");
        stop_for(format_args!("panic: {message}"), file, line)
    }));
}
