// A method whose attribute is wrong can be called all the same.
use helix_runtime::prelude::*;

#[helix_module]
#[derive(Default)]
pub struct Timer {
    ticks: u64,
}

#[helix_handlers]
impl Timer {
    #[on_event(Tick, prioritee = HIGH)]
    fn tick(&mut self) {
        self.ticks += 1;
    }
    #[on_request]
    fn ticks(&self) -> u64 {
        self.ticks
    }
}

fn main() {
    let mut timer = Timer::default();
    timer.tick();
    let _ = timer.ticks();
}
