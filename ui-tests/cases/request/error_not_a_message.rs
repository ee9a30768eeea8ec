// An error that cannot travel.
use helix_runtime::prelude::*;

#[derive(Debug)]
pub struct Refused;

#[helix_module]
#[derive(Default)]
pub struct Timer;

#[helix_handlers]
impl Timer {
    #[on_request]
    fn set(&self, _ms: u64) -> Result<u64, Refused> {
        Err(Refused)
    }
}

fn main() {}
