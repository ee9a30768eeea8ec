// A priority that is no number.
use helix_runtime::prelude::*;

#[helix_module]
#[derive(Default)]
pub struct Timer;

#[helix_handlers]
impl Timer {
    #[on_event(Tick, priority = "high")]
    fn tick(&mut self) {}
    #[on_event(Tick, priority = 100_000)]
    fn again(&mut self) {}
}

fn main() {}
