// `#[config]` with what it does not take.
use helix_runtime::prelude::*;

#[helix_module]
#[derive(Default)]
pub struct Timer {
    #[config()]
    empty: u64,
    #[config = 1]
    equals: u64,
    #[config(defualt = 1)]
    misspelt: u64,
    #[config(10)]
    number: u64,
    #[config(default)]
    no_value: u64,
    #[config(default = )]
    nothing: u64,
    #[config(default = 1, default = 2)]
    twice: u64,
    #[config(default = 1)]
    #[config]
    two_attributes: u64,
    #[config(default = 1, min = 0)]
    unknown: u64,
}

#[helix_handlers]
impl Timer {}

fn main() {}
