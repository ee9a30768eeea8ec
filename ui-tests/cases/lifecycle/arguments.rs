// Arguments where there are none.
use helix_runtime::prelude::*;

#[helix_module]
#[derive(Default)]
pub struct Timer;

#[helix_handlers]
impl Timer {
    #[on_init(first)]
    fn init(&mut self) {}
    #[on_start()]
    fn start(&mut self) {}
    #[on_stop = "last"]
    fn stop(&mut self) {}
    #[on_health(every = 5)]
    fn health(&self) -> bool {
        true
    }
}

fn main() {}
