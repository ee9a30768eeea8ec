// A version that is no semver.
use helix_runtime::prelude::*;

#[helix_module(version = "1.0")]
#[derive(Default)]
pub struct Timer;

#[helix_handlers]
impl Timer {}

fn main() {}
