// `self` by value.
use helix_runtime::prelude::*;

#[helix_module]
#[derive(Default)]
pub struct Timer;

#[helix_handlers]
impl Timer {
    #[on_event(Tick)]
    fn tick(self) {}
    #[on_request]
    fn ticks(self) -> u64 {
        0
    }
    #[on_stop]
    fn stop(self: Box<Self>) {}
}

fn main() {}
