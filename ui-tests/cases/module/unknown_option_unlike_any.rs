// An option like no other: all are listed.
use helix_runtime::prelude::*;

#[helix_module(colour = "red")]
#[derive(Default)]
pub struct Timer;

#[helix_handlers]
impl Timer {}

fn main() {}
