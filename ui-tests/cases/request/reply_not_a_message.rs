// Replies that cannot travel.
use helix_runtime::prelude::*;

pub struct Plain;

#[helix_module]
#[derive(Default)]
pub struct Timer;

#[helix_handlers]
impl Timer {
    #[on_request]
    fn plain(&self) -> Plain {
        Plain
    }
    #[on_request]
    fn size(&self) -> usize {
        0
    }
}

fn main() {}
