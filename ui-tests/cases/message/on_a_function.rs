// The attribute on something that is no type.
use helix_runtime::prelude::*;

#[helix_message]
pub fn status() {}

fn main() {}
