// One name twice.
use helix_runtime::modules;
use helix_runtime::prelude::*;

#[helix_module(name = "timer")]
#[derive(Default)]
pub struct Timer;

#[helix_handlers]
impl Timer {}

#[helix_module(name = "timer")]
#[derive(Default)]
pub struct OtherTimer;

#[helix_handlers]
impl OtherTimer {}

fn main() {
    modules![Timer, OtherTimer];
}
