// The attribute on a struct.
use helix_runtime::prelude::*;

#[helix_handlers]
pub struct Timer;

fn main() {}
