// An option that does not exist: the likely one is named.
use helix_runtime::prelude::*;

#[helix_module(nam = "timer")]
#[derive(Default)]
pub struct Timer;

#[helix_handlers]
impl Timer {}

fn main() {}
