// Options whose values are of the wrong kind.
use helix_runtime::prelude::*;

#[helix_module(
    name = timer,
    version = 1.0,
    features = "shaders",
    permissions = [read],
    stateless = yes,
    new = "Timer::new",
    author,
)]
#[derive(Default)]
pub struct Timer;

#[helix_handlers]
impl Timer {}

fn main() {}
