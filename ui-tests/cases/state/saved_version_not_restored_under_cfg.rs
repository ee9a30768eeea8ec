// A saved version whose `on_restore` is configured out.
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
    #[cfg(any())]
    #[on_restore(version = 2)]
    fn restore(&mut self, ticks: u64) {
        self.ticks = ticks;
    }
}

fn main() {}
