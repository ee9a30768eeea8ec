//! Tells the ABI tag which compiler and target build this crate, and of which source.

use std::env::var;
use std::fs;
use std::path::Path;
use std::process::Command;

fn main() {
    println!("cargo::rerun-if-changed=src");
    println!("cargo::rustc-env=HELIX_SOURCE={:016x}", source(Path::new("src")));
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

/// FNV-1a (64 bits) over the names and the contents of the files below, in the order of their names.
fn source(folder: &Path) -> u64 {
    let mut hash = 0xcbf2_9ce4_8422_2325;
    add(folder, &mut hash);
    hash
}

fn add(folder: &Path, hash: &mut u64) {
    let entries = fs::read_dir(folder).expect("the crate's source can be listed");
    let mut paths: Vec<_> = entries.map(|entry| entry.expect("the crate's source can be listed").path()).collect();
    paths.sort();
    for path in paths {
        let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        let contents =
            if path.is_dir() { Vec::new() } else { fs::read(&path).expect("the crate's source can be read") };
        for byte in name.bytes().chain(contents) {
            *hash = (*hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
        }
        if path.is_dir() {
            add(&path, hash);
        }
    }
}
