// Handlers with parameters of their own.
use helix_runtime::prelude::*;

#[helix_module]
#[derive(Default)]
pub struct Timer;

#[helix_handlers]
impl Timer {
    #[on_request]
    fn echo<T>(&self, value: T) -> T {
        value
    }
    #[on_request]
    fn length<'a>(&self, text: &'a str) -> u64 {
        text.len() as u64
    }
    #[on_event(Tick)]
    fn tick<const N: usize>(&self) {}
}

fn main() {}
