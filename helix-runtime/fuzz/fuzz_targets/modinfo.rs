//! Any bytes as a section of records: read, or refused with a message; never a panic.
#![no_main]

use helix_runtime::modinfo::Record;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    for record in Record::read(bytes) {
        match record {
            Ok(record) => assert!(record.fields().all(|(_, value)| !value.contains('\0'))),
            Err(error) => assert!(!error.to_string().is_empty()),
        }
    }
});
