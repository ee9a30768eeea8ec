// One service provided twice.
use helix_runtime::prelude::*;

#[helix_module(provides = ["clock", "clock"])]
#[derive(Default)]
pub struct Timer;

#[helix_handlers]
impl Timer {}

fn main() {}
