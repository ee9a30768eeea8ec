//! The kernel's image.

use std::env;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::{Board, BootError};

/// Builds the kernel for a board, and returns where its image is. What cargo says goes to stderr.
///
/// # Errors
/// Something is [missing](Board::missing), or cargo does not build.
pub fn build(board: Board) -> Result<PathBuf, BootError> {
    if let Some(missing) = board.missing() {
        return Err(missing);
    }
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../..");
    let mut command = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.current_dir(&root).args([
        "build",
        "--quiet",
        "--package",
        "kernel",
        "--bin",
        "kernel",
        "--profile",
        "kernel",
    ]);
    let mut folder = target_dir(&root);
    if let Some((target, _)) = board.target() {
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
pub(crate) fn has_target(target: &str) -> bool {
    let mut command = Command::new("rustc");
    command.current_dir(env!("CARGO_MANIFEST_DIR")).args(["--print", "target-libdir", "--target", target]);
    command.output().is_ok_and(|output| {
        output.status.success() && Path::new(String::from_utf8_lossy(&output.stdout).trim()).is_dir()
    })
}
