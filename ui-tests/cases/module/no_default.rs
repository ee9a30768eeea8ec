// Neither `Default` nor `new`.
use helix_runtime::prelude::*;

#[helix_module]
pub struct Timer {
    ticks: u64,
}

#[helix_handlers]
impl Timer {}

fn main() {}
