// One option, given twice: both places are shown.
use helix_runtime::prelude::*;

#[helix_module(name = "timer", version = "1.0.0", name = "clock")]
#[derive(Default)]
pub struct Timer;

#[helix_handlers]
impl Timer {}

fn main() {}
