// An event taken by value, and one taken mutably.
use helix_runtime::prelude::*;

#[helix_module]
#[derive(Default)]
pub struct Timer;

#[helix_handlers]
impl Timer {
    #[on_event(Tick)]
    fn tick(&mut self, _tick: Tick) {}
    #[on_event(Tick)]
    fn change(&mut self, _tick: &mut Tick) {}
}

fn main() {}
