//! Needs the patient, and keeps its instance.

use helix_conformance::contract::say;
use helix_runtime::prelude::*;

/// Looks after the patient.
#[helix_module(dependencies = ["patient"])]
#[derive(Default)]
pub struct Nurse {
    rounds: u64,
}

#[helix_handlers]
impl Nurse {
    #[on_start]
    fn start(&mut self, ctx: &Context) {
        self.rounds += 1;
        say(ctx, format_args!("start of round {}", self.rounds));
    }
    #[on_stop]
    fn stop(&mut self, ctx: &Context) {
        say(ctx, "stop");
    }
}
