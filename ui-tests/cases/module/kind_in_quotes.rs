// A kind is a word.
use helix_runtime::prelude::*;

#[helix_module(kind = "core")]
#[derive(Default)]
pub struct Timer;

#[helix_handlers]
impl Timer {}

fn main() {}
