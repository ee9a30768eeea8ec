// What is no method.
use helix_runtime::prelude::*;

#[helix_service("store")]
pub trait Store {
    const SIZE: u64;
    type Item;
    fn get(&self) -> u64;
}

fn main() {}
