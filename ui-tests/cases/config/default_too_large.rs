// A default beyond the field's type.
use helix_runtime::prelude::*;

#[helix_module]
#[derive(Default)]
pub struct Timer {
    #[config(default = 300)]
    ticks: u8,
}

#[helix_handlers]
impl Timer {}

fn main() {}
