// A path of the runtime that leads nowhere.
use helix_runtime::prelude::*;

#[helix_module(crate = ::helix_runtim)]
#[derive(Default)]
pub struct Timer;

#[helix_handlers]
impl Timer {}

fn main() {}
