// The attribute on something that is no trait.
use helix_runtime::prelude::*;

#[helix_service("scheduler")]
pub struct Scheduler;

fn main() {}
