//! Any bytes as the envelope of a saved state: read and written again as they were, or refused with a message.
#![no_main]

use helix_runtime::SavedState;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    match SavedState::from_envelope(bytes) {
        Ok(state) => assert_eq!(state.to_envelope(), bytes),
        Err(fault) => assert!(!fault.to_string().is_empty()),
    }
});
