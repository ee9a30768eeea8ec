// The attribute on something that is no struct.
use helix_runtime::prelude::*;

#[helix_module]
pub enum Timer {
    Running,
}

fn main() {}
