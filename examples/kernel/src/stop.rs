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
        if irq::is_active() {
            let _ = writeln!(Raw, "  it was in an interrupt");
        }
        if let Some(module) = kernel::current_module() {
            let _ = writeln!(Raw, "  in the module {module}");
        }
    }
    board::exit(status)
}

/// Stops for a panic. One that says that memory is used up has a status of its own.
fn stop_for(message: fmt::Arguments<'_>, file: &str, line: u32) -> ! {
    let status = if heap::has_just_refused() { Status::Memory } else { Status::Panic };
    // The file's last name: where the sources lie is another matter on every machine.
    let file = file.rsplit(['/', '\\']).next().unwrap_or(file);
    stop(status, format_args!("{message}\n  at {file}:{line}"))
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
