// The attribute on a function.
use helix_runtime::prelude::*;

#[helix_module]
pub fn timer() {}

fn main() {}
