use helix_runtime::prelude::*;

#[helix_module]
#[derive(Default)]
pub struct Counter;

#[helix_handlers]
impl Counter {
    #[on_request]
    fn count(&self, units: Vec<()>) -> u64 {
        units.len() as u64
    }
}

fn main() {
    let _ = helix_runtime::modules![Counter];
}
