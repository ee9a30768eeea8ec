// A parameter of another event's type.
use helix_runtime::prelude::*;

#[helix_module]
#[derive(Default)]
pub struct Timer;

#[helix_handlers]
impl Timer {
    #[on_event(Tick)]
    fn tick(&mut self, _tick: &Shutdown) {}
}

fn main() {}
