// A module whose `&self` handlers could not run side by side.
use helix_runtime::prelude::*;

#[helix_module]
#[derive(Default)]
pub struct Counter {
    ticks: std::cell::Cell<u64>,
}

#[helix_handlers]
impl Counter {}

fn main() {}
