// `impl Trait`, `dyn Trait` and pointers.
use helix_runtime::prelude::*;

#[helix_module]
#[derive(Default)]
pub struct Timer;

#[helix_handlers]
impl Timer {
    #[on_request]
    fn any(&self, _text: impl Into<String>) {}
    #[on_request]
    fn boxed(&self, _text: Box<dyn Fn()>) {}
    #[on_request]
    fn pointer(&self, _at: *const u8) {}
    #[on_request]
    fn function(&self, _run: fn()) {}
}

fn main() {}
