//! A kernel that boots the demo's modules.
//!
//! ```text
//! board/*.rs   what a machine offers: one file each, and one for a process
//! irq          what interrupts do: raise a line
//! heap lock console stop    memory, locks, the log and the end, all of which know when they are in an interrupt
//! kernel       the runtime, its lines and the idle loop
//! modules/*    the kernel's own modules, beside those of the demo
//! scenario/*   what is shown and proved, one at a boot: chosen by the command line
//! ```
//!
//! Start with `kernel.rs`: it is what another kernel would have too.
#![cfg_attr(target_os = "none", no_std, no_main)]
#![deny(unsafe_code)]
#![cfg_attr(sized, allow(dead_code, reason = "what is measured is what is left"))]

extern crate alloc;

#[allow(unsafe_code, reason = "it is the machine")]
mod board;
mod console;
#[allow(unsafe_code, reason = "it is the global allocator")]
mod heap;
#[allow(unsafe_code, reason = "it keeps a function in an atomic")]
mod irq;
#[allow(unsafe_code, reason = "it asks the runtime whom to blame")]
mod kernel;
mod lock;
mod modules;
mod scenario;
#[cfg(sized)]
mod size;
mod status;
mod stop;

use scenario::Failure;
use status::Status;

const LONGEST_COMMAND_LINE: usize = 256;

/// The whole life of the kernel. The board calls it once, on a stack, with interrupts disabled.
#[cfg_attr(sized, expect(unreachable_code, reason = "a program of another kind"))]
fn run() -> ! {
    #[cfg(sized)]
    size::run();
    board::init();
    console::take_over_log();
    #[cfg(not(target_os = "none"))]
    stop::take_over_panics();
    helix_runtime::irq::detect_with(irq::is_active);
    let mut buffer = [0; LONGEST_COMMAND_LINE];
    let played = match board::command_line(&mut buffer) {
        Some(line) => scenario::run(line),
        None => Err(Failure::new("the command line is longer than 256 bytes, or is not UTF-8")),
    };
    match played {
        Ok(()) => board::exit(Status::Success),
        Err(failure) => {
            say!("\nFAILED: {failure}");
            board::exit(Status::Failed)
        }
    }
}

#[cfg(not(target_os = "none"))]
fn main() {
    run()
}
