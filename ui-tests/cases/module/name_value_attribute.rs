// The attribute with `=`, and with nothing in its parentheses.
use helix_runtime::prelude::*;

#[helix_module = "timer"]
#[derive(Default)]
pub struct Timer;

#[helix_handlers]
impl Timer {}

fn main() {}
