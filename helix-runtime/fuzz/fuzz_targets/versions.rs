//! Any text as a version and as a requirement: read, or refused with the place; never a panic.
#![no_main]

use helix_runtime::{ModuleVersion, Requirement};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    // What is read is kept for ever, so it is given back by hand.
    let kept: &'static mut str = text.to_owned().leak();
    let pointer: *mut str = kept;
    let kept: &'static str = kept;
    match (ModuleVersion::parse(kept), Requirement::parse(kept)) {
        (Ok(version), Ok(requirement)) => drop(requirement.matches(&version)),
        (Err(error), _) | (_, Err(error)) => assert!(error.at <= text.len()),
    }
    // SAFETY: `pointer` came from `leak`, and nothing that borrows it is left.
    drop(unsafe { Box::from_raw(pointer) });
});
