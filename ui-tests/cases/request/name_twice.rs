// One request name, twice in one block: both places are shown.
use helix_runtime::prelude::*;

#[helix_module]
#[derive(Default)]
pub struct Timer;

#[helix_handlers]
impl Timer {
    #[on_request("ticks")]
    fn first(&self) -> u64 {
        0
    }
    #[on_request]
    fn ticks(&self) -> u64 {
        0
    }
}

fn main() {}
