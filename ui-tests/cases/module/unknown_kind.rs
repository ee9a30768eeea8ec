// A kind that does not exist.
use helix_runtime::prelude::*;

#[helix_module(kind = plugn)]
#[derive(Default)]
pub struct Timer;

#[helix_handlers]
impl Timer {}

fn main() {}
