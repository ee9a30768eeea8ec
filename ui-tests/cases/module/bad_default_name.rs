// A struct whose own name gives no name.
use helix_runtime::prelude::*;

#[helix_module]
#[derive(Default)]
pub struct Größe;

#[helix_handlers]
impl Größe {}

fn main() {}
