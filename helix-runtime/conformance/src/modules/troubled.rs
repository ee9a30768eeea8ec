//! Handles, ignores, fails or panics, as the tick's number says.

use helix_runtime::prelude::*;

/// Has trouble.
#[helix_module]
#[derive(Default)]
pub struct Troubled;

#[helix_handlers]
impl Troubled {
    #[on_event(Tick, priority = HIGH)]
    fn tick(&mut self, tick: &Tick) -> EventResponse {
        match tick.tick_number {
            0 => EventResponse::Handled,
            1 => EventResponse::Ignored,
            2 => EventResponse::Error(ModuleError::new("two is wrong")),
            _ => panic!("three is worse"),
        }
    }
}
