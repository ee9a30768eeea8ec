// One request name, in the block and in a contract.
use helix_runtime::prelude::*;

#[helix_service("scheduler")]
pub trait Scheduler {
    fn quantum(&self) -> u64;
}

#[helix_module(name = "round-robin", provides = ["cpu", Scheduler])]
#[derive(Default)]
pub struct RoundRobin;

#[helix_handlers]
impl RoundRobin {
    #[on_request]
    fn quantum(&self) -> u64 {
        1
    }
}

impl Scheduler for RoundRobin {
    fn quantum(&self) -> u64 {
        2
    }
}

fn main() {}
