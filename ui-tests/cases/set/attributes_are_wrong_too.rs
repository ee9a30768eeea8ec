// A set of modules whose own attributes are wrong: the set adds nothing.
use helix_runtime::modules;
use helix_runtime::prelude::*;

#[helix_module(name = "Bad Name", dependencies("timer" = "one"))]
#[derive(Default)]
pub struct Timer;

#[helix_handlers]
impl Timer {
    #[on_save(version = 1)]
    fn save(&self) -> u64 {
        0
    }
}

fn main() {
    let _ = modules![Timer].descriptors();
}
