//! Hears last.

use helix_conformance::contract::say;
use helix_runtime::prelude::*;

/// After most.
#[helix_module]
#[derive(Default)]
pub struct Late;

#[helix_handlers]
impl Late {
    #[on_event(Tick, priority = LOW)]
    fn tick(&self, ctx: &Context) {
        say(ctx, "tick");
    }
}
