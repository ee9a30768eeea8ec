// A dependency that nobody is or provides.
use helix_runtime::modules;
use helix_runtime::prelude::*;

#[helix_module(name = "scheduler", dependencies = ["timer"])]
#[derive(Default)]
pub struct Scheduler;

#[helix_handlers]
impl Scheduler {}

fn main() {
    modules![Scheduler];
    modules![Scheduler, ..];
}
