// Replies that are lent.
use helix_runtime::prelude::*;

#[helix_service("store")]
pub trait Store {
    fn name(&self) -> &str;
    fn maybe(&self) -> Option<&str>;
}

fn main() {}
