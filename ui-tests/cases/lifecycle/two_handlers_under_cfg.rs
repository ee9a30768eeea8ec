// Two handlers for one step under `cfg`s that both hold.
use helix_runtime::prelude::*;

#[helix_module]
#[derive(Default)]
pub struct Timer;

#[helix_handlers]
impl Timer {
    #[cfg(all())]
    #[on_init]
    fn first(&mut self) {}
    #[cfg(not(any()))]
    #[on_init]
    fn second(&mut self) {}
}

fn main() {}
