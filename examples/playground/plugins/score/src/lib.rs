//! A point for each bounce.
#![forbid(unsafe_code)]

use helix_runtime::prelude::*;
use playground_ecs::Bounced;

/// Keeps the score.
#[helix_module(name = "plugins/score", kind = plugin, dependencies = ["core/ecs"], flags = HOT_RELOADABLE)]
#[derive(Debug, Default)]
pub struct Score {
    points: u64,
}

#[helix_handlers]
impl Score {
    #[on_event(Bounced)]
    fn bounced(&mut self, _bounced: &Bounced) {
        self.points += 1;
    }

    /// The score, as it is shown.
    #[on_request]
    fn shown(&self) -> String {
        format!("{} points", self.points)
    }

    #[on_save(version = 1)]
    fn save(&self) -> u64 {
        self.points
    }

    #[on_restore(version = 1)]
    fn restore(&mut self, points: u64) {
        self.points = points;
    }
}
