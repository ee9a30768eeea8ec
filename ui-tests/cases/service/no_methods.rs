// A contract without methods.
use helix_runtime::prelude::*;

#[helix_service("store")]
pub trait Store {}

fn main() {}
