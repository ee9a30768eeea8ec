// `HOT_RELOADABLE` with `on_save` alone: what it saves nothing restores.
use helix_runtime::prelude::*;

#[helix_module(flags = HOT_RELOADABLE)]
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
}

fn main() {}
