// A contract provided, but not implemented.
use helix_runtime::prelude::*;

#[helix_service("scheduler")]
pub trait Scheduler {
    fn quantum(&self) -> u64;
}

#[helix_module(provides = [Scheduler])]
#[derive(Default)]
pub struct RoundRobin;

#[helix_handlers]
impl RoundRobin {}

fn main() {}
