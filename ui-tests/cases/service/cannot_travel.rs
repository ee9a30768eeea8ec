// Arguments and replies that cannot travel.
use helix_runtime::prelude::*;

pub struct Refused;

pub struct Plain;

#[helix_service("store")]
pub trait Store {
    fn put(&self, plain: Plain);
    fn lent(&self, text: &String);
    fn size(&self) -> usize;
    fn fails(&self) -> Result<u64, Refused>;
}

fn main() {}
