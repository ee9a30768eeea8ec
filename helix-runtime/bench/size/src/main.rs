//! A program with the modules that `build.rs` has written. It is linked for its sections' sizes and never run.

#![no_std]
#![no_main]

extern crate alloc;

mod alone;
mod table;

mod modules {
    // One text serves all kinds of handlers.
    #![allow(clippy::unnecessary_cast, dead_code, unused_imports)]

    use core::sync::atomic::{AtomicU32, Ordering::Relaxed};

    include!(concat!(env!("OUT_DIR"), "/modules.rs"));
}

use core::hint::black_box;

/// What is asked for, which the compiler must not know.
#[allow(dead_code, reason = "each way of writing takes its own")]
struct Wanted {
    names: (&'static str, &'static str),
    path: &'static str,
    round: u32,
}

/// Where the linker begins: everything that this does not lead to is dropped.
#[unsafe(no_mangle)]
extern "C" fn _start() -> ! {
    let wanted = Wanted { names: ("module-00", "handler_00"), path: "module-00.handler_00", round: 1 };
    black_box(modules::run(&black_box(wanted)));
    alone::end()
}
