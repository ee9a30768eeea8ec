// The attribute takes `crate` alone.
use helix_runtime::prelude::*;

#[helix_module]
#[derive(Default)]
pub struct Timer;

#[helix_handlers(for = Timer)]
impl Timer {}

fn main() {}
