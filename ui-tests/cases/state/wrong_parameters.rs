// Parameters that do not fit.
use helix_runtime::prelude::*;

#[helix_module]
#[derive(Default)]
pub struct Timer;

#[helix_handlers]
impl Timer {
    #[on_save(version = 1)]
    fn save(&self, _deep: bool) -> u64 {
        0
    }
    #[on_restore(version = 1)]
    fn restore(&mut self) {}
    #[on_restore(version = 2)]
    fn restore_2(&mut self, _ticks: u64, _more: u64) {}
    #[on_restore(version = 3)]
    fn restore_3(&mut self, _ticks: &u64) {}
}

fn main() {}
