// A version requirement that is none.
use helix_runtime::prelude::*;

#[helix_module(dependencies("timer" = "=>1.0", "clock" = { version = "one" }))]
#[derive(Default)]
pub struct Scheduler;

#[helix_handlers]
impl Scheduler {}

fn main() {}
