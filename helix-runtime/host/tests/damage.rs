//! Files that are cut off, damaged or lie: each is refused before anything of it runs, with field, found and expected.
#![allow(missing_docs)]
#![cfg(all(target_os = "linux", not(miri)))]

mod support;

use std::fs;
use std::path::Path;
use std::sync::LazyLock;

use helix_host::{Directory, Library, LoadFault, Loader, seal};
use helix_runtime::modinfo::SECTION;
use helix_runtime::{AbiTag, ConfigMap};
use object::{Object, ObjectSection};

const PLAIN: &str = r#"
#![forbid(unsafe_code)]
use helix_runtime::prelude::*;
/// Is there.
#[helix_module(name = "plain")]
#[derive(Default)]
pub struct Plain;
#[helix_handlers]
impl Plain {
    #[on_request]
    fn here(&self) -> bool { true }
}
"#;

static SEALED: LazyLock<Vec<u8>> =
    LazyLock::new(|| fs::read(support::library(&support::folder("damage-built"), "plain", PLAIN)).unwrap());

/// The library as the linker has made it, without a seal, and where its record lies.
fn unsealed() -> (Vec<u8>, std::ops::Range<usize>) {
    let at = SEALED.windows(14).rposition(|window| window == b"\nhelix-seal 1 ").unwrap();
    let bytes = SEALED[..at].to_vec();
    let file = object::File::parse(bytes.as_slice()).unwrap();
    let (start, length) = file.section_by_name(SECTION).unwrap().file_range().unwrap();
    (bytes, start as usize..(start + length) as usize)
}

fn open(bytes: Vec<u8>) -> Result<Library, String> {
    Library::of_bytes(Path::new("plain.so"), bytes).map_err(|fault| fault.to_string())
}

/// What loading these bytes comes to.
fn load(bytes: Vec<u8>) -> Result<(), String> {
    let library = open(bytes)?;
    let loader = Loader::new().unwrap();
    loader.load_library(&library).map(|_| ()).map_err(|fault| fault.to_string())
}

/// The record with one of its fields changed, and its checksum set right: a library that was built otherwise.
fn with_field(old: &str, new: &str) -> Vec<u8> {
    let (mut bytes, record) = unsealed();
    let text = String::from_utf8(bytes[record.clone()].to_vec()).unwrap();
    let body = text[64..].trim_end_matches('\0').to_string() + "\0";
    assert!(body.contains(old), "{old} in {body}");
    let body = body.replacen(old, new, 1);
    assert!(body.len() + 64 <= record.len() + 64, "the section has the same length");
    // Shorter than it was: the linker pads with zeros too.
    let sum = body
        .bytes()
        .fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3));
    let header = format!("helix-modinfo 2 length={:08} fnv={sum:016x}", body.len());
    let mut whole = vec![0; record.len()];
    whole[..header.len()].copy_from_slice(header.as_bytes());
    whole[64..64 + body.len()].copy_from_slice(body.as_bytes());
    bytes[record].copy_from_slice(&whole);
    seal(&mut bytes);
    bytes
}

#[test]
fn the_whole_file_is_loaded() {
    load(SEALED.clone()).unwrap();
    // One that cargo has made, without a seal, is complete too.
    load(unsealed().0).unwrap();
}

#[test]
fn a_file_that_is_cut_off_anywhere_is_refused() {
    let whole = unsealed().0.len();
    for file in [SEALED.clone(), unsealed().0] {
        for length in (0..file.len()).step_by(4096).chain([1, 63, 64, whole - 1, file.len() - 1]) {
            // The library without its seal is whole.
            if length == whole {
                continue;
            }
            let refused = open(file[..length].to_vec()).unwrap_err();
            assert!(refused.contains("cut off") || refused.contains("found"), "{length}: {refused}");
        }
    }
}

#[test]
fn a_sealed_file_is_refused_whichever_byte_is_damaged() {
    for at in (0..SEALED.len()).step_by(4096).chain(SEALED.len() - 40..SEALED.len()) {
        let mut bytes = SEALED.clone();
        bytes[at] ^= 0x40;
        let refused = open(bytes).unwrap_err();
        assert!(refused.contains("found"), "byte {at}: {refused}");
    }
}

#[test]
fn a_record_with_any_byte_flipped_is_refused() {
    let (bytes, record) = unsealed();
    let padding = bytes[record.clone()].iter().rev().take_while(|byte| **byte == 0).count() - 1;
    for at in record.start..record.end - padding {
        for bit in [0x01, 0x80] {
            let mut bytes = bytes.clone();
            bytes[at] ^= bit;
            let refused = open(bytes).unwrap_err();
            assert!(refused.contains("found") || refused.contains("checksum"), "byte {}: {refused}", at - record.start);
        }
    }
}

#[test]
fn each_field_that_differs_is_named_with_what_was_found_and_expected() {
    let this = AbiTag::THIS;
    let refused = |old: &str, new: &str| load(with_field(old, new)).unwrap_err();
    let says = |field: &str, old: &str, new: &str, remedy: &str| {
        let text = refused(&format!("{field}={old}"), &format!("{field}={new}"));
        let expected = format!("plain.so: {field}: found {new}, expected {old}; {remedy}");
        assert!(text.starts_with(&expected), "{text}");
    };
    says("abi.target", this.target, "riscv64gc-unknown-linux", "build the module for this target");
    says("abi.rustc", this.rustc, &this.rustc.replace("1.", "0."), "build host and module with one toolchain");
    says("abi.panic", "unwind", "abort", "build the module with the panic strategy of its host");
    says(
        "abi.runtime",
        this.runtime,
        &this.runtime.replace(" std ", " --- "),
        "build host and module with one helix-runtime",
    );
    for (name, hash) in AbiTag::TYPES {
        let text = refused(&format!("abi.type={name} {hash:016x}"), &format!("abi.type={name} 0123456789abcdef"));
        let expected = format!(
            "plain.so: abi.type {name}: found 0123456789abcdef, expected {hash:016x}; the type is laid out differently"
        );
        assert!(text.starts_with(&expected), "{text}");
    }
    let layout = format!("{:016x}", this.layout);
    says("abi.layout", &layout, "0123456789abcdef", "build host and module from one lock file");
    // A field that is missing is nothing.
    let text = refused("abi.panic=unwind\0", "");
    assert!(text.starts_with("plain.so: abi.panic: found nothing, expected unwind"), "{text}");
}

#[test]
fn other_files_are_told_for_what_they_are() {
    let folder = support::folder("other-files");
    let says = |name: &str, bytes: &[u8], text: &str| {
        let path = folder.join(name);
        fs::write(&path, bytes).unwrap();
        let fault = Library::open(&path).unwrap_err().to_string();
        assert!(fault.contains(text), "{fault}");
        let found = Directory::of_files(&[path]);
        assert_eq!((found.modules.len(), found.faults.len()), (0, 1));
    };
    says("empty.so", b"", "found an empty file, expected an ELF shared object of 64 bits");
    says("text.so", b"hello", "found a file that begins with \"hello\"");
    says("short.so", b"\x7fELF", "the file is cut off: its header ends at byte 64, the file at 4");
    let object = fs::read(std::env::current_exe().unwrap()).unwrap();
    // This very program is a shared object too, without a record.
    says("program.so", &object, "found no record, expected one");
    assert!(Library::open(&folder).unwrap_err().to_string().contains("found no regular file"));
    assert!(Library::open(&folder.join("none.so")).is_err());
}

#[test]
fn two_records_in_one_file_are_refused_naming_both() {
    let (mut bytes, record) = unsealed();
    // The record of one that is called otherwise, in the place of a long one's end.
    let text = String::from_utf8(bytes[record.clone()].to_vec()).unwrap();
    let body = "name=other\0version=1.0.0\0";
    let first = text[64..].find("abi.type").unwrap() + 64;
    let own = &text[64..first];
    let sum = |body: &str| {
        body.bytes()
            .fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
    };
    let header =
        |body: &str| format!("{:\0<64}", format!("helix-modinfo 2 length={:08} fnv={:016x}", body.len(), sum(body)));
    let two = format!("{}{own}{}{body}", header(own), header(body));
    let room = record.len();
    let mut whole = vec![0; room];
    whole[..two.len()].copy_from_slice(two.as_bytes());
    bytes[record].copy_from_slice(&whole);
    let refused = open(bytes).unwrap_err();
    assert!(refused.contains("found two modules, `plain` and `other`, expected one"), "{refused}");
}

#[test]
fn a_library_of_another_toolchain_is_refused_if_one_is_installed() {
    let toolchains = std::process::Command::new("rustup").args(["toolchain", "list"]).output();
    let toolchains = toolchains.map(|output| String::from_utf8_lossy(&output.stdout).into_owned()).unwrap_or_default();
    if !toolchains.lines().any(|line| line.starts_with("nightly")) {
        println!("SKIPPED: no other toolchain is installed; `rustup toolchain install nightly` adds one");
        return;
    }
    let folder = support::folder("toolchain");
    let module = support::write_crate(&folder, "plain", PLAIN);
    let status = std::process::Command::new("rustup")
        .args([
            "run",
            "nightly",
            "cargo",
            "rustc",
            "--lib",
            "--crate-type",
            "cdylib",
            "--features",
            "helix-runtime/std",
        ])
        .arg("--manifest-path")
        .arg(module.folder.join("Cargo.toml"))
        .arg("--target-dir")
        .arg(Path::new(env!("CARGO_TARGET_TMPDIR")).join("nightly"))
        .args(["--", "--cfg", "helix_export"])
        .env_remove("RUSTC")
        .env_remove("CARGO")
        .env_remove("RUSTUP_TOOLCHAIN")
        .output()
        .unwrap();
    assert!(status.status.success(), "{}", String::from_utf8_lossy(&status.stderr));
    let library = Path::new(env!("CARGO_TARGET_TMPDIR")).join("nightly/debug/libplain.so");
    let refused = Loader::new().unwrap().load(&library).unwrap_err();
    let LoadFault::Refused(refusal) = refused else { panic!("{refused}") };
    assert_eq!((refusal.field.as_str(), refusal.expected.as_str()), ("abi.rustc", AbiTag::THIS.rustc));
    assert!(refusal.found.contains("nightly"), "{refusal}");
}

#[test]
fn what_is_wrong_with_a_set_is_told_all_at_once() {
    let folder = support::folder("set");
    let source =
        |name: &str, options: &str| PLAIN.replace("name = \"plain\"", &format!("name = \"{name}\", {options}"));
    let build = |file: &str, name: &str, options: &str| {
        let module = support::write_crate(&folder, file, &source(name, options));
        support::build(&module, &folder.join(format!("{file}.so")));
    };
    build("base", "base", "version = \"1.2.0\", features = [\"fast\"]");
    build("again", "base", "version = \"1.2.0\"");
    build("needy", "needy", "dependencies(\"nobody\", \"base\" = { version = \"^2.0\", features = [\"safe\"] })");
    let checked = Directory::read(&folder).unwrap().check(&[], &ConfigMap::default());
    let faults: Vec<String> = checked.faults.iter().map(ToString::to_string).collect();
    for says in [
        "two modules are called `base`",
        "`needy` needs `nobody`, which no module here is or provides",
        "`needy` needs `base` in a version that matches `^2.0`, but `base` is 1.2.0",
    ] {
        assert!(faults.iter().any(|fault| fault.contains(says)), "{says}: {faults:?}");
    }
    assert!(checked.refusals.is_empty() && checked.files.is_empty());
}
