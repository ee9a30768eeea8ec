// A `where` clause on a handler.
use helix_runtime::prelude::*;

#[helix_module]
#[derive(Default)]
pub struct Timer;

#[helix_handlers]
impl Timer {
    #[on_request]
    fn ticks(&self) -> u64
    where
        Self: Clone,
    {
        0
    }
}

fn main() {}
