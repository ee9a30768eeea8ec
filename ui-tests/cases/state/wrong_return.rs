// `on_restore` that returns something else, `on_save` that returns nothing.
use helix_runtime::prelude::*;

#[helix_module]
#[derive(Default)]
pub struct Timer;

#[helix_handlers]
impl Timer {
    #[on_save(version = 1)]
    fn save(&self) -> u64 {
        0
    }
    #[on_restore(version = 1)]
    fn restore(&mut self, _ticks: u64) -> bool {
        true
    }
}

fn main() {}
