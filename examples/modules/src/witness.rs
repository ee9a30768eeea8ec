//! A module written by hand, beside the annotated ones: it sees in which order the others go.

use std::mem;
use std::sync::{Arc, Mutex, PoisonError};

use helix_runtime::prelude::*;
use helix_runtime::{ModuleInfo, ModuleTrait};

/// The module. It belongs to the runtime; the program keeps [`Seen`].
pub struct Witness(Seen);

/// What the witness saw.
#[derive(Clone, Default)]
pub struct Seen(Arc<Mutex<Vec<String>>>);

impl Witness {
    pub fn new() -> (Self, Seen) {
        let seen = Seen::default();
        (Self(seen.clone()), seen)
    }
}

impl Seen {
    /// The modules that have stopped, in that order.
    pub fn stopped(&self) -> Vec<String> {
        mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl ModuleTrait for Witness {
    fn info(&self) -> ModuleInfo {
        ModuleInfo::new("witness").description("Sees the others stop.")
    }

    fn handle_event(&mut self, event: &Event) -> EventResponse {
        let Event::ModuleUnloaded(module) = event else { return EventResponse::Ignored };
        self.0.0.lock().unwrap_or_else(PoisonError::into_inner).push(module.name.as_str().into());
        EventResponse::Handled
    }
}
