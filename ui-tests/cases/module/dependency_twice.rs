// One dependency, named twice: both places are shown.
use helix_runtime::prelude::*;

#[helix_module(dependencies("timer" = "^1.0", "clock", "timer" = "^2.0"))]
#[derive(Default)]
pub struct Scheduler;

#[helix_handlers]
impl Scheduler {}

fn main() {}
