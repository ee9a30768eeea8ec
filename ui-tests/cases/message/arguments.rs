// The attribute takes `crate` alone.
use helix_runtime::prelude::*;

#[helix_message(version = 1)]
pub struct Status {
    pub ticks: u64,
}

fn main() {}
