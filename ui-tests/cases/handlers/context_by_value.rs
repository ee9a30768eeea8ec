// `Context` by value, mutably, and twice.
use helix_runtime::prelude::*;

#[helix_module]
#[derive(Default)]
pub struct Timer;

#[helix_handlers]
impl Timer {
    #[on_init]
    fn init(&mut self, _ctx: Context) {}
    #[on_start]
    fn start(&mut self, _ctx: &mut Context) {}
    #[on_stop]
    fn stop(&mut self, _ctx: &Context, _again: &Context) {}
}

fn main() {}
