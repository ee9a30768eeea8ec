// An event handler that returns something else.
use helix_runtime::prelude::*;

#[helix_module]
#[derive(Default)]
pub struct Timer;

#[helix_handlers]
impl Timer {
    #[on_event(Tick)]
    fn tick(&mut self, _tick: &Tick) -> bool {
        true
    }
    #[on_event(Tick)]
    fn fails(&mut self) -> Result<(), String> {
        Ok(())
    }
}

fn main() {}
