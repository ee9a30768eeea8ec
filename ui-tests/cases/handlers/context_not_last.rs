// `&Context` before other parameters.
use helix_runtime::prelude::*;

#[helix_module]
#[derive(Default)]
pub struct Timer;

#[helix_handlers]
impl Timer {
    #[on_event(Tick)]
    fn tick(&mut self, _ctx: &Context, _tick: &Tick) {}
    #[on_request]
    fn set(&mut self, _ctx: &Context, _ms: u64) {}
}

fn main() {}
