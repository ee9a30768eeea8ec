//! Tells the ABI tag which compiler and target build this crate.

use std::env::var;
use std::process::Command;

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    let rustc = var("RUSTC").unwrap_or_else(|_| "rustc".into());
    let version = Command::new(&rustc).arg("--version").output();
    let version = match version {
        Ok(output) => String::from_utf8_lossy(&output.stdout).trim().to_owned(),
        Err(error) => panic!("`{rustc} --version` could not be run: {error}"),
    };
    println!("cargo::rustc-env=HELIX_RUSTC={version}");
    println!("cargo::rustc-env=HELIX_TARGET={}", var("TARGET").expect("cargo sets TARGET"));
}
