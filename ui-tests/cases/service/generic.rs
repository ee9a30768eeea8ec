// A generic contract.
use helix_runtime::prelude::*;

#[helix_service("store")]
pub trait Store<T> {
    fn get(&self) -> T;
}

fn main() {}
