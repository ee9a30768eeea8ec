//! What is not installed is named, with the command that installs it.

use std::env;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// A folder with these programs alone.
fn path_with(name: &str, programs: &[(&str, &str)]) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder).unwrap();
    for (program, script) in programs {
        let file = folder.join(program);
        fs::write(&file, format!("#!/bin/sh\n{script}\n")).unwrap();
        fs::set_permissions(&file, fs::Permissions::from_mode(0o755)).unwrap();
    }
    folder
}

fn boot_with(path: &Path, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_kernel-boot")).args(arguments).env("PATH", path).output().unwrap()
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[test]
fn a_missing_emulator_is_named_with_the_command_that_installs_it() {
    for (board, emulator, package) in [
        ("x86_64", "qemu-system-x86_64", "qemu-system-x86"),
        ("riscv64", "qemu-system-riscv64", "qemu-system-misc"),
        ("aarch64", "qemu-system-aarch64", "qemu-system-arm"),
        ("cortex-m", "qemu-system-arm", "qemu-system-arm"),
    ] {
        let output = boot_with(&path_with("no-emulator", &[]), &["--board", board]);
        let expected = format!("error: {emulator} is missing; install it with: sudo apt-get install {package}\n");
        assert_eq!((output.status.code(), said(&output)), (Some(3), expected));
    }
}

#[test]
fn a_missing_target_is_named_with_the_command_that_installs_it() {
    let programs = [("qemu-system-arm", "echo QEMU emulator version 0"), ("rustc", "echo /nowhere/at/all")];
    let output = boot_with(&path_with("no-target", &programs), &["--board", "cortex-m"]);
    let expected = "error: the target thumbv7em-none-eabihf of Rust's is missing; install it with: \
                    rustup target add thumbv7em-none-eabihf\n";
    assert_eq!((output.status.code(), said(&output)), (Some(3), expected.to_string()));
}

#[test]
fn a_kernel_that_does_not_build_is_no_success() {
    let path = path_with("no-build", &[("cargo", "echo 'error: it does not build' >&2; exit 101")]);
    let output = Command::new(env!("CARGO_BIN_EXE_kernel-boot"))
        .args(["--board", "hosted"])
        .env("PATH", &path)
        .env("CARGO", path.join("cargo"))
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(1), "{}", said(&output));
    assert!(said(&output).contains("the kernel was not built"), "{}", said(&output));
}

#[test]
fn a_wrong_board_and_a_wrong_deadline_are_named() {
    for (arguments, what) in [(["--board", "pdp-11"], "pdp-11"), (["--deadline", "0"], "0")] {
        let output = boot_with(&path_with("usage", &[]), &arguments);
        assert_eq!(output.status.code(), Some(2));
        assert!(said(&output).contains(what), "{}", said(&output));
    }
}
