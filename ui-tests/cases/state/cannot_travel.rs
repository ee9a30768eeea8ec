// State that cannot travel.
use helix_runtime::prelude::*;

pub struct Ticks(u64);

#[helix_module]
#[derive(Default)]
pub struct Timer;

#[helix_handlers]
impl Timer {
    #[on_save(version = 1)]
    fn save(&self) -> Ticks {
        Ticks(0)
    }
    #[on_restore(version = 1)]
    fn restore(&mut self, _ticks: Ticks) {}
}

fn main() {}
