// A parameter too many.
use helix_runtime::prelude::*;

#[helix_module]
#[derive(Default)]
pub struct Timer;

#[helix_handlers]
impl Timer {
    #[on_event(Tick)]
    fn tick(&mut self, _tick: &Tick, _again: &Tick, _ctx: &Context) {}
}

fn main() {}
