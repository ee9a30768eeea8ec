// A module without a handlers block.
use helix_runtime::prelude::*;

#[helix_module]
#[derive(Default)]
pub struct Timer;

fn main() {}
