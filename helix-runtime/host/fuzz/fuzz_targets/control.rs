//! Any bytes on the control socket: a question, or refused with a message; never a panic, and never more than one line.
#![no_main]

use helix_host::control::{Question, read_question};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let mut from = bytes;
    match read_question(&mut from) {
        Ok(Some(question)) => {
            let line = serde_json::to_vec(&question).unwrap();
            let again: Question = serde_json::from_slice(&line).unwrap();
            assert_eq!(again, question);
        }
        Ok(None) => assert!(bytes.is_empty()),
        Err(error) => assert!(!error.to_string().is_empty()),
    }
});
