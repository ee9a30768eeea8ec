// Fields whose types cannot be configured.
use helix_runtime::prelude::*;

#[derive(Default)]
pub enum Policy {
    #[default]
    Fair,
}

#[helix_module]
#[derive(Default)]
pub struct Scheduler {
    #[config]
    policy: Policy,
    #[config(default = vec![1])]
    slices: Vec<u64>,
}

#[helix_handlers]
impl Scheduler {}

fn main() {}
