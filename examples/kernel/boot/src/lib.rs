//! Builds the kernel for a board, boots it, and says how it ended.
//!
//! The verdict is the machine's exit status alone: [`Status::Success`] is a number that nothing but the kernel's last step
//! sends. Whatever it has printed proves nothing.

mod board;
mod image;
mod machine;
#[path = "../../src/status.rs"]
mod status;

pub use board::Board;
pub use image::build;
pub use machine::{Input, Outcome, Time, Verdict, boot};
pub use status::Status;

/// Why a kernel was not booted.
#[derive(Debug, thiserror::Error)]
pub enum BootError {
    /// A tool is missing.
    #[error("{what} is missing; install it with: {install}")]
    Missing {
        /// What.
        what: String,
        /// The command that installs it.
        install: &'static str,
    },
    /// cargo has refused to build the kernel, and has said why.
    #[error("the kernel was not built: cargo ended with {0}; what it says stands above")]
    Build(std::process::ExitStatus),
    /// A program could not be run.
    #[error("cannot run {program}: {error}")]
    Run {
        /// The program.
        program: String,
        /// What the system says.
        error: std::io::Error,
    },
}
