// `&Context` before other parameters.
use helix_runtime::prelude::*;

#[helix_service("store")]
pub trait Store {
    fn put(&self, ctx: &Context, value: u64);
}

fn main() {}
