//! The kernel's own modules. Those of the demo are crates of their own.

pub mod fragile;
pub mod probe;
pub mod shell;
pub mod tally;
