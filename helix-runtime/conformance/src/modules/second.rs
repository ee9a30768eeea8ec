//! Hears alone, and twice.

use helix_conformance::contract::say;
use helix_runtime::prelude::*;

/// At the usual priority, and at one of its own.
#[helix_module]
#[derive(Default)]
pub struct Second {
    ticks: u64,
}

#[helix_handlers]
impl Second {
    #[on_event(Tick)]
    fn tick(&mut self, ctx: &Context) {
        self.ticks += 1;
        say(ctx, format_args!("{} ticks", self.ticks));
    }
    #[on_event(Tick, priority = 7)]
    fn seventh(&mut self, ctx: &Context) {
        say(ctx, "seventh");
    }
}
