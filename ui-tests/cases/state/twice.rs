// Two `on_save`, and one version restored twice.
use helix_runtime::prelude::*;

#[helix_module]
#[derive(Default)]
pub struct Timer {
    ticks: u64,
}

#[helix_handlers]
impl Timer {
    #[on_save(version = 1)]
    fn save(&self) -> u64 {
        self.ticks
    }
    #[on_save(version = 2)]
    fn save_again(&self) -> u64 {
        self.ticks
    }
    #[on_restore(version = 1)]
    fn restore(&mut self, ticks: u64) {
        self.ticks = ticks;
    }
    #[on_restore(version = 2)]
    fn restore_2(&mut self, ticks: u64) {
        self.ticks = ticks;
    }
    #[on_restore(version = 1)]
    fn restore_again(&mut self, ticks: u64) {
        self.ticks = ticks;
    }
}

fn main() {}
