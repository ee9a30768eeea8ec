//! Time, in steps.
#![forbid(unsafe_code)]

use helix_runtime::prelude::*;
use playground_ecs::Step;

/// Turns the program's ticks into steps of the game.
#[helix_module(name = "systems/clock", kind = system, dependencies = ["core/ecs"], flags = HOT_RELOADABLE)]
#[derive(Debug, Default)]
pub struct ClockSystem {
    /// How many steps a second.
    #[config(default = 60)]
    rate: u16,
    steps: u64,
}

#[helix_handlers]
impl ClockSystem {
    #[on_event(Tick)]
    fn tick(&mut self, _tick: &Tick, ctx: &Context) -> Result<(), ModuleError> {
        self.steps += 1;
        let step = Step { number: self.steps, seconds: 1.0 / f32::from(self.rate.max(1)) };
        ctx.publish(&step).first_error.map_or(Ok(()), |(_, error)| Err(error))
    }

    /// How many steps there were.
    #[on_request]
    fn steps(&self) -> u64 {
        self.steps
    }

    #[on_save(version = 1)]
    fn save(&self) -> u64 {
        self.steps
    }

    #[on_restore(version = 1)]
    fn restore(&mut self, steps: u64) {
        self.steps = steps;
    }
}
