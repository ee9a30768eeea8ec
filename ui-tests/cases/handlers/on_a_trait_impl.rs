// The attribute on a trait's impl block.
use helix_runtime::prelude::*;

#[helix_module]
#[derive(Default)]
pub struct Timer;

#[helix_handlers]
impl Timer {}

#[helix_handlers]
impl Clone for Timer {
    fn clone(&self) -> Self {
        Timer
    }
}

fn main() {}
