// An `async` handler.
use helix_runtime::prelude::*;

#[helix_module]
#[derive(Default)]
pub struct Timer;

#[helix_handlers]
impl Timer {
    #[on_request]
    async fn ticks(&self) -> u64 {
        0
    }
}

fn main() {}
