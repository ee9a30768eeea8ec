//! The kernel's image.

use std::env;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::{Board, BootError};

/// Builds the kernel for a board, and returns where its image is. What cargo says goes to stderr.
///
/// # Errors
/// The target is not installed, or cargo does not build.
pub fn build(board: Board) -> Result<PathBuf, BootError> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../..");
    let mut command = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.current_dir(&root).args(["build", "--quiet", "--package", "kernel", "--bin", "kernel", "--profile", "kernel"]);
    let mut folder = target_dir(&root);
    if let Some((target, install)) = board.target() {
        require_target(target, install)?;
        command.args(["--target", target]);
        folder.push(target);
    }
    // Flags that are meant for this machine are not the board's.
    command.env_remove("RUSTFLAGS").env_remove("CARGO_ENCODED_RUSTFLAGS").env("CARGO_TARGET_DIR", target_dir(&root));
    let status = command.status().map_err(|error| BootError::Run { program: "cargo".into(), error })?;
    if !status.success() {
        return Err(BootError::Build(status));
    }
    Ok(folder.join("kernel").join("kernel"))
}

fn target_dir(root: &Path) -> PathBuf {
    match env::var_os("CARGO_TARGET_DIR") {
        Some(folder) => root.join(folder),
        None => root.join("target"),
    }
}

/// Whether the toolchain has the target's core library.
fn require_target(target: &str, install: &'static str) -> Result<(), BootError> {
    let mut command = Command::new("rustc");
    command.current_dir(env!("CARGO_MANIFEST_DIR")).args(["--print", "target-libdir", "--target", target]);
    let output = command.output().map_err(|error| BootError::Run { program: "rustc".into(), error })?;
    let folder = PathBuf::from(String::from_utf8_lossy(&output.stdout).trim());
    if output.status.success() && folder.is_dir() {
        return Ok(());
    }
    Err(BootError::Missing { what: format!("Rust's target {target}"), install })
}
