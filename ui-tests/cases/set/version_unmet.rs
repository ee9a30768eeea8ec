// A dependency that is there in another version.
use helix_runtime::modules;
use helix_runtime::prelude::*;

#[helix_module(name = "timer", version = "1.9.0")]
#[derive(Default)]
pub struct Timer;

#[helix_handlers]
impl Timer {}

#[helix_module(name = "scheduler", dependencies("timer" = "^2.0"))]
#[derive(Default)]
pub struct Scheduler;

#[helix_handlers]
impl Scheduler {}

fn main() {
    modules![Timer, Scheduler];
}
