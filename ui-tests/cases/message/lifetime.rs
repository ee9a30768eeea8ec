// A message that borrows.
use helix_runtime::prelude::*;

#[helix_message]
pub struct Name<'a> {
    pub text: &'a str,
}

fn main() {}
