// Nothing in the parentheses.
use helix_runtime::prelude::*;

#[helix_module()]
#[derive(Default)]
pub struct Timer;

#[helix_handlers]
impl Timer {}

fn main() {}
