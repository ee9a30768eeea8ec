// A comma left out between options.
use helix_runtime::prelude::*;

#[helix_module(name = "timer" version = "1.0.0")]
#[derive(Default)]
pub struct Timer;

#[helix_handlers]
impl Timer {}

fn main() {}
