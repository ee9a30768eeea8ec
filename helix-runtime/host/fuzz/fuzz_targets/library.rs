//! Any bytes as a library's file: read, or refused with a message; never a panic.
#![no_main]

use std::path::Path;

use helix_host::Library;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    match Library::of_bytes(Path::new("fuzz.so"), bytes.to_vec()) {
        Ok(library) => drop(library.record.info()),
        Err(fault) => assert!(!fault.to_string().is_empty()),
    }
    // As what an ELF file begins with.
    let elf = [b"\x7fELF\x02\x01\x01", bytes].concat();
    drop(Library::of_bytes(Path::new("fuzz.so"), elf));
});
