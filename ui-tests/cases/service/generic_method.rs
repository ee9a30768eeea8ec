// Methods that cannot be requests.
use helix_runtime::prelude::*;

#[helix_service("store")]
pub trait Store {
    fn get<T>(&self) -> T;
    async fn later(&self) -> u64;
    unsafe fn danger(&self) -> u64;
    fn consume(self) -> u64;
    fn nothing() -> u64;
}

fn main() {}
