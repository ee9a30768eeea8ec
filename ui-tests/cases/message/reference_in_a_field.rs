// A field that borrows for good.
use helix_runtime::prelude::*;

#[helix_message]
pub struct Name {
    pub text: &'static str,
}

fn main() {}
