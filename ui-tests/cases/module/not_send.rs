// A module that cannot be shared among threads.
use helix_runtime::prelude::*;

#[helix_module]
#[derive(Default)]
pub struct Counter {
    shared: std::rc::Rc<u64>,
}

#[helix_handlers]
impl Counter {}

fn main() {}
