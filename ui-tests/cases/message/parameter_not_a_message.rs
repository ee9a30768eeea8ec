// A generic message of a type that cannot travel.
use helix_runtime::prelude::*;

#[helix_message]
pub struct Page<T> {
    pub items: Vec<T>,
}

pub struct Plain;

#[helix_module]
#[derive(Default)]
pub struct Store;

#[helix_handlers]
impl Store {
    #[on_request]
    fn page(&self) -> Page<Plain> {
        Page { items: Vec::new() }
    }
}

fn main() {}
