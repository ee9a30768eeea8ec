// `HOT_RELOADABLE` with `on_restore` alone.
use helix_runtime::prelude::*;

#[helix_module(flags = HOT_RELOADABLE)]
#[derive(Default)]
pub struct Timer {
    ticks: u64,
}

#[helix_handlers]
impl Timer {
    #[on_restore(version = 1)]
    fn restore(&mut self, ticks: u64) {
        self.ticks = ticks;
    }
}

fn main() {}
