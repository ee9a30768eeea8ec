//! Module crates that are written, built and put aside by tests.
#![allow(dead_code, reason = "each test uses some of it")]

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use helix_host::{Cancel, Cargo, ModuleCrate};

/// A folder of a test's own, empty.
pub fn folder(test: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("tests").join(test);
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder).unwrap();
    folder
}

/// Cargo with one folder for the artifacts of all tests, so that what modules depend on is built once.
pub fn cargo() -> Cargo {
    Cargo { target_dir: Some(Path::new(env!("CARGO_TARGET_TMPDIR")).join("target")), ..Cargo::default() }
}

/// Writes a module crate below a folder.
pub fn write_crate(folder: &Path, name: &str, source: &str) -> ModuleCrate {
    let path = folder.join(name);
    fs::create_dir_all(path.join("src")).unwrap();
    let runtime = Path::new(env!("CARGO_MANIFEST_DIR")).join("..").canonicalize().unwrap();
    let manifest = format!(
        "[package]\nname = \"{name}\"\nversion = \"0.1.0\"\nedition = \"2024\"\n\
         [dependencies]\nhelix-runtime = {{ path = {runtime:?} }}\nlog = {{ version = \"0.4\", default-features = false }}\n\
         tracing = {{ version = \"0.1\", default-features = false }}\n\
         [workspace]\n"
    );
    fs::write(path.join("Cargo.toml"), manifest).unwrap();
    fs::copy(runtime.join("../Cargo.lock"), path.join("Cargo.lock")).unwrap();
    fs::write(path.join("src/lib.rs"), source).unwrap();
    cargo().find(&path).unwrap()
}

/// Builds a crate, and puts its library aside under another name.
pub fn build(module: &ModuleCrate, to: &Path) -> PathBuf {
    let built =
        cargo().build(module, &Cancel::default(), &mut |_| {}).unwrap_or_else(|error| panic!("{error}: {error:?}"));
    fs::copy(&built.path, to).unwrap();
    to.into()
}

/// Writes a crate and builds it.
pub fn library(folder: &Path, name: &str, source: &str) -> PathBuf {
    build(&write_crate(folder, name, source), &folder.join(format!("{name}.so")))
}

/// Changes what stands in a sealed library, and seals it again: another build of the same code.
pub fn patched(library: &[u8], old: &[u8], new: &[u8]) -> Vec<u8> {
    assert_eq!(old.len(), new.len());
    let seal = library.windows(14).rposition(|window| window == b"\nhelix-seal 1 ").expect("it is sealed");
    let mut bytes = library[..seal].to_vec();
    let at = bytes.windows(old.len()).position(|window| window == old).expect("it has that text");
    bytes[at..at + new.len()].copy_from_slice(new);
    helix_host::seal(&mut bytes);
    bytes
}

/// Returns when that is so; fails when it hangs: however slow the machine is.
#[track_caller]
pub fn until(what: &str, mut is_so: impl FnMut() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(300);
    while !is_so() {
        assert!(Instant::now() < deadline, "{what}: not within five minutes");
        std::thread::yield_now();
    }
}
