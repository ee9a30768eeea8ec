//! Hears without a lock.

use helix_conformance::contract::say;
use helix_runtime::prelude::*;

/// At the usual priority.
#[helix_module]
#[derive(Default)]
pub struct First;

#[helix_handlers]
impl First {
    #[on_event(Tick)]
    fn tick(&self, tick: &Tick, ctx: &Context) {
        say(ctx, format_args!("tick {} at {}", tick.tick_number, tick.timestamp_ns));
    }
    #[on_event(Process)]
    fn process(&self, event: &Event, ctx: &Context) {
        say(ctx, event.name());
    }
    #[on_event(ProcessExited)]
    fn exited(&self, exited: &ProcessExited, ctx: &Context) {
        say(ctx, format_args!("{} exited with {}", exited.pid, exited.code));
    }
}
