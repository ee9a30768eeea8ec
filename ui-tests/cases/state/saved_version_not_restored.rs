// A saved version that nothing restores.
use helix_runtime::prelude::*;

#[helix_module]
#[derive(Default)]
pub struct Timer {
    ticks: u64,
}

#[helix_handlers]
impl Timer {
    #[on_save(version = 2)]
    fn save(&self) -> u64 {
        self.ticks
    }
    #[on_restore(version = 1)]
    fn restore(&mut self, ticks: u64) {
        self.ticks = ticks;
    }
}

fn main() {}
