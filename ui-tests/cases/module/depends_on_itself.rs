// A module that depends on itself.
use helix_runtime::prelude::*;

#[helix_module(name = "timer", dependencies = ["clock", "timer"])]
#[derive(Default)]
pub struct Timer;

#[helix_handlers]
impl Timer {}

fn main() {}
