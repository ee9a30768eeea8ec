// A lifecycle handler with a parameter too many.
use helix_runtime::prelude::*;

#[helix_module]
#[derive(Default)]
pub struct Timer;

#[helix_handlers]
impl Timer {
    #[on_init]
    fn init(&mut self, _speed: u64, _ctx: &Context) {}
    #[on_health]
    fn health(&self, _deep: bool) -> bool {
        true
    }
}

fn main() {}
