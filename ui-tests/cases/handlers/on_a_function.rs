// The attribute on a function.
use helix_runtime::prelude::*;

#[helix_handlers]
fn tick() {}

fn main() {}
