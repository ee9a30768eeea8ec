//! Any bytes as what a program says on the control lane, in whatever pieces: its handshake and frames are read or refused; never a
//! panic, and never more memory than was sent.
#![no_main]

use helix_host::link_fuzz;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| link_fuzz(bytes));
