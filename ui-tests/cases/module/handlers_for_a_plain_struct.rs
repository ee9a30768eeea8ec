// A handlers block for a struct that is no module.
use helix_runtime::prelude::*;

#[derive(Default)]
pub struct Timer;

#[helix_handlers]
impl Timer {
    #[on_init]
    fn init(&self) {}
}

fn main() {
    helix_runtime::modules![Timer];
}
