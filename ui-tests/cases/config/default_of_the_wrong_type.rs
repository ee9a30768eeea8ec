// A default that is not of the field's type.
use helix_runtime::prelude::*;

#[helix_module]
#[derive(Default)]
pub struct Timer {
    #[config(default = "ten")]
    period_ms: u64,
    #[config(default = 10)]
    name: String,
    #[config(default = 1.5)]
    ticks: u8,
}

#[helix_handlers]
impl Timer {}

fn main() {}
