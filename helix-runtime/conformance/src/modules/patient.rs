//! Falls ill when it is told to, and is well again when it is made anew.

use helix_conformance::contract::say;
use helix_runtime::prelude::*;

/// Can be ill.
#[helix_module]
#[derive(Default)]
pub struct Patient {
    is_ill: bool,
    visits: u64,
}

#[helix_handlers]
impl Patient {
    #[on_start]
    fn start(&self, ctx: &Context) {
        say(ctx, "start");
    }
    #[on_stop]
    fn stop(&self, ctx: &Context) {
        say(ctx, "stop");
    }
    #[on_health]
    fn health(&self) -> bool {
        !self.is_ill
    }
    #[on_request]
    fn fall_ill(&mut self) {
        self.is_ill = true;
    }
    #[on_request]
    fn visit(&mut self) -> u64 {
        self.visits += 1;
        self.visits
    }
    #[on_request]
    fn collapse(&mut self) {
        panic!("collapsed");
    }
}
