// Arguments whose types are no messages.
use helix_runtime::prelude::*;

pub struct Plain;

#[helix_module]
#[derive(Default)]
pub struct Timer;

#[helix_handlers]
impl Timer {
    #[on_request]
    fn plain(&self, _plain: Plain) {}
    #[on_request]
    fn second(&self, _ms: u64, _plains: Vec<Plain>) {}
}

fn main() {}
