//! What a board offers, and which one this image is for. Each is one file; all else is shared.
//!
//! | item | what it is |
//! |---|---|
//! | `NAME` | what the report calls it |
//! | `init()` | sets up the console, the vectors and the interrupt controller; interrupts stay disabled |
//! | `command_line(&mut [u8]) -> Option<&str>` | what the kernel was started with, in that buffer; none if it is longer, or no text |
//! | `write(&[u8])` | to the console, byte by byte; needs no lock, works in interrupts |
//! | `start_timer(hz)`, `stop_timer()` | [`irq::timer`](crate::irq::timer) is called that often, from 20 to 20 000 times a second |
//! | `listen()` | [`irq::serial`](crate::irq::serial) is called for each byte from the console |
//! | `interrupt_self()` | raises an interrupt of the processor's own: [`irq::software`](crate::irq::software) |
//! | `nanoseconds()` | the time since any moment; under `-icount shift=4` an instruction takes 16. In real time it is in `CLOCK_UNIT` |
//! | `disable_interrupts()`, `enable_interrupts()` | of this processor |
//! | `enable_interrupts_and_wait()` | in one step, so that none is lost between the two |
//! | `exit(Status) -> !` | ends the machine with a status |
//! | `fault(Fault)` | does what no kernel should; where memory is not protected, nothing comes of it |

use cfg_if::cfg_if;
#[cfg(target_os = "none")]
#[allow(unused_imports, reason = "not every board has tables to set up")]
use spin::Once;

cfg_if! {
    if #[cfg(not(target_os = "none"))] {
        mod hosted;
        pub use hosted::*;
    } else if #[cfg(target_arch = "x86_64")] {
        mod x86_64;
        pub use self::x86_64::*;
    } else if #[cfg(target_arch = "riscv64")] {
        mod riscv64;
        pub use riscv64::*;
    } else if #[cfg(target_arch = "aarch64")] {
        mod aarch64;
        pub use aarch64::*;
    } else {
        mod cortex_m;
        pub use cortex_m::*;
    }
}

#[cfg(all(target_os = "none", not(target_arch = "x86_64")))]
mod semihosting;

/// Something that a kernel must not do, and that protected memory catches.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// Uses more stack than there is.
    Stack,
    /// Reads what a null pointer points to.
    Null,
    /// Writes to its code.
    Code,
    /// Writes to a constant.
    Constant,
    /// Runs its data.
    Data,
    /// Runs what lies on its stack.
    RunStack,
    /// Runs what lies on its heap.
    RunHeap,
}
