// Two handlers for one step: both places are shown.
use helix_runtime::prelude::*;

#[helix_module]
#[derive(Default)]
pub struct Timer;

#[helix_handlers]
impl Timer {
    #[on_init]
    fn first(&mut self) {}
    #[on_init]
    fn second(&mut self) {}
    #[on_health]
    fn well(&self) -> bool {
        true
    }
    #[on_health]
    fn healthy(&self) -> bool {
        true
    }
}

fn main() {}
