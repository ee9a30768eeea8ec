// `HOT_RELOADABLE` with nothing that keeps the state, and not `stateless`.
use helix_runtime::prelude::*;

#[helix_module(flags = DRIVER | HOT_RELOADABLE)]
#[derive(Default)]
pub struct Timer {
    ticks: u64,
}

#[helix_handlers]
impl Timer {}

fn main() {}
