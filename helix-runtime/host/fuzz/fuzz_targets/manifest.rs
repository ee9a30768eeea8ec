//! Any text as a `module.toml`: read, or refused with places that are in it; never a panic.
#![no_main]

use std::path::Path;
use std::sync::LazyLock;

use helix_host::Manifest;
use helix_runtime::modinfo::Record;
use libfuzzer_sys::fuzz_target;

static RECORD: LazyLock<Record> = LazyLock::new(|| {
    Record::from_iter([
        ("name", "mesh"),
        ("version", "2.0.0"),
        ("permission", "call/node"),
        ("config", "ttl: u32 = 3"),
        ("config", "motto: String = \"\""),
    ])
});

fuzz_target!(|text: &str| {
    match Manifest::parse(text, Path::new("module.toml"), &RECORD) {
        Ok(manifest) => {
            assert!(manifest.config.iter().all(|(key, _)| key == "ttl" || key == "motto"));
            let permissions = manifest.permissions.iter().flatten();
            assert!({ permissions }.all(|permission| permission.starts_with("call/node")));
        }
        Err(fault) => {
            assert!(!fault.faults.is_empty());
            for at in &fault.faults {
                let line = text.split('\n').nth(at.line - 1).unwrap();
                assert!(at.column <= line.chars().count() + 1, "{at:?}");
            }
        }
    }
});
