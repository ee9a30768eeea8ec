//! Hears first.

use helix_conformance::contract::say;
use helix_runtime::prelude::*;

/// Before all others.
#[helix_module]
#[derive(Default)]
pub struct Early;

#[helix_handlers]
impl Early {
    #[on_event(Tick, priority = HIGHEST)]
    fn tick(&self, event: &Event, ctx: &Context) {
        say(ctx, event.name());
    }
}
