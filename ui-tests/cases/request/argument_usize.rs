// `usize` is not the same everywhere.
use helix_runtime::prelude::*;

#[helix_module]
#[derive(Default)]
pub struct Timer;

#[helix_handlers]
impl Timer {
    #[on_request]
    fn set(&self, _slot: usize) {}
}

fn main() {}
