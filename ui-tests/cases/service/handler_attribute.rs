// A handler attribute inside a contract.
use helix_runtime::prelude::*;

#[helix_service("store")]
pub trait Store {
    #[on_request("get")]
    fn get(&self) -> u64;
}

fn main() {}
