// A type that is no module, and one that does not exist.
use helix_runtime::modules;
use helix_runtime::prelude::*;

#[helix_module]
#[derive(Default)]
pub struct Timer;

#[helix_handlers]
impl Timer {}

pub struct Plain;

fn main() {
    modules![Timer, Plain];
    modules![Timr];
}
