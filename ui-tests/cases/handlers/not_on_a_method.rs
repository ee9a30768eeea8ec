// A handler attribute on a constant and on a type.
use helix_runtime::prelude::*;

#[helix_module]
#[derive(Default)]
pub struct Timer;

#[helix_handlers]
impl Timer {
    #[on_init]
    const INIT: u64 = 0;
}

fn main() {}
