// Two handlers blocks for one module.
use helix_runtime::prelude::*;

#[helix_module]
#[derive(Default)]
pub struct Timer;

#[helix_handlers]
impl Timer {
    #[on_init]
    fn init(&mut self) {}
}

#[helix_handlers]
impl Timer {
    #[on_stop]
    fn stop(&mut self) {}
}

fn main() {}
