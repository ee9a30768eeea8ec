// One flag, given twice.
use helix_runtime::prelude::*;

#[helix_module(flags = DRIVER | DRIVER)]
#[derive(Default)]
pub struct Timer;

#[helix_handlers]
impl Timer {}

fn main() {}
