// A field without a name has no key.
use helix_runtime::prelude::*;

#[helix_module]
#[derive(Default)]
pub struct Timer(#[config] u64);

#[helix_handlers]
impl Timer {}

fn main() {}
