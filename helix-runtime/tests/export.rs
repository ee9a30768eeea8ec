//! Artifacts export, crates do not: really built, with link-time optimization and stripped.
#![allow(missing_docs)]
#![cfg(all(target_os = "linux", not(miri)))]

use std::path::{Path, PathBuf};
use std::process::Command;

use helix_runtime::AbiTag;
use helix_runtime::modinfo::{Record, SECTION};
use object::{Object, ObjectSection, ObjectSymbol};

fn cargo(args: &[&str]) -> PathBuf {
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).join("export");
    let output = Command::new(env!("CARGO"))
        .args(args)
        .current_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/export"))
        .env("CARGO_TARGET_DIR", &target)
        .env_remove("RUSTFLAGS")
        .output()
        .expect("cargo runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    target.join("release")
}

fn section(file: &Path) -> Vec<u8> {
    let bytes = std::fs::read(file).unwrap();
    let file = object::File::parse(bytes.as_slice()).unwrap();
    file.section_by_name(SECTION).expect("the section").data().unwrap().to_vec()
}

#[test]
fn a_library_has_one_record_and_a_program_has_all() {
    let export = ["--release", "--lib", "--crate-type", "cdylib", "--", "--cfg", "helix_export"];
    let release = cargo(&[&["rustc", "--locked", "-p", "outer"], &export[..]].concat());
    let library = release.join("libouter.so");
    let record = Record::read_single(&section(&library)).unwrap();
    assert_eq!(record.get("name"), Some("outer"));
    assert_eq!(record.get("version"), Some("1.0.0"));
    assert_eq!(record.get("abi.rustc"), Some(AbiTag::THIS.rustc));
    assert_eq!(record.all("topic").collect::<Vec<_>>(), ["tick"]);

    let bytes = std::fs::read(&library).unwrap();
    let file = object::File::parse(bytes.as_slice()).unwrap();
    let exported = file.dynamic_symbols().filter(|symbol| symbol.name() == Ok("HELIX_MODULE")).count();
    assert_eq!(exported, 1);

    let release = cargo(&["build", "--locked", "--release", "-p", "image"]);
    let section = section(&release.join("image"));
    let mut names: Vec<String> =
        Record::read(&section).map(|record| record.unwrap().get("name").unwrap().to_owned()).collect();
    names.sort();
    assert_eq!(names, ["inner", "outer"]);
    assert!(Record::read_single(&section).unwrap_err().to_string().contains("two modules"));
}
