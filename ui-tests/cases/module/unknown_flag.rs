// A flag that does not exist.
use helix_runtime::prelude::*;

#[helix_module(flags = SCHEDULAR | HOT_RELODABLE)]
#[derive(Default)]
pub struct Timer;

#[helix_handlers]
impl Timer {}

fn main() {}
