// One request name, in two contracts.
use helix_runtime::prelude::*;

#[helix_service("scheduler")]
pub trait Scheduler {
    fn status(&self) -> u64;
}

#[helix_service("clock")]
pub trait Clock {
    fn status(&self) -> u64;
}

#[helix_module(name = "round-robin", provides = [Scheduler, Clock])]
#[derive(Default)]
pub struct RoundRobin;

#[helix_handlers]
impl RoundRobin {}

impl Scheduler for RoundRobin {
    fn status(&self) -> u64 {
        1
    }
}

impl Clock for RoundRobin {
    fn status(&self) -> u64 {
        2
    }
}

fn main() {}
