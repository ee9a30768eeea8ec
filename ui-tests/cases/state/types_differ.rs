// Saved as one type, restored as another.
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
    fn restore(&mut self, _ticks: u32) {}
}

fn main() {}
