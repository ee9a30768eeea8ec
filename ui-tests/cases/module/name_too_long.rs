// A name of 65 bytes.
use helix_runtime::prelude::*;

#[helix_module(name = "a0123456789012345678901234567890123456789012345678901234567890123")]
#[derive(Default)]
pub struct Timer;

#[helix_handlers]
impl Timer {}

fn main() {}
