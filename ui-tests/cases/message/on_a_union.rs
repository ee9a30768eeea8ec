// A union cannot travel.
use helix_runtime::prelude::*;

#[helix_message]
pub union Either {
    pub a: u32,
    pub b: f32,
}

fn main() {}
