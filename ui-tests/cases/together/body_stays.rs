// A mistake inside a body is the compiler's, and the only one.
use helix_runtime::prelude::*;

#[helix_module]
#[derive(Default)]
pub struct Timer {
    ticks: u64,
}

#[helix_handlers]
impl Timer {
    #[on_event(Tick)]
    fn tick(&mut self) {
        self.ticks = "one";
    }
    #[on_request]
    fn ticks(&self) -> u64 {
        self.tick
    }
}

fn main() {}
