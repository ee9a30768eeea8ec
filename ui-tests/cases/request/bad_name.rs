// Names that are no identifiers.
use helix_runtime::prelude::*;

#[helix_module]
#[derive(Default)]
pub struct Timer;

#[helix_handlers]
impl Timer {
    #[on_request("timer.ticks")]
    fn dotted(&self) {}
    #[on_request("")]
    fn empty(&self) {}
    #[on_request("2nd")]
    fn digit(&self) {}
}

fn main() {}
