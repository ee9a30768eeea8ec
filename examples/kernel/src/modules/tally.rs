//! Counts ticks, in two versions: the second one keeps more, and takes the first one's state.

use helix_runtime::prelude::*;

/// What the first version saves.
#[helix_message]
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SavedV1 {
    ticks: u64,
}

/// What the second version saves.
#[helix_message]
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SavedV2 {
    ticks: u64,
    longest: u64,
}

/// Counts ticks.
#[helix_module(name = "tally", version = "1.0.0", flags = HOT_RELOADABLE)]
#[derive(Default)]
pub struct Tally {
    last: u64,
    ticks: u64,
}

#[helix_handlers]
impl Tally {
    #[on_event(Tick)]
    pub(crate) fn tick(&mut self, &Tick { tick_number, .. }: &Tick) {
        self.ticks += tick_number - self.last;
        self.last = tick_number;
    }

    /// How many ticks there were.
    #[on_request]
    pub(crate) fn ticks(&self) -> u64 {
        self.ticks
    }

    #[on_save(version = 1)]
    fn save(&self) -> SavedV1 {
        SavedV1 { ticks: self.ticks }
    }

    #[on_restore(version = 1)]
    fn restore(&mut self, saved: SavedV1) {
        (self.last, self.ticks) = (saved.ticks, saved.ticks);
    }
}

/// Counts ticks, and knows how many came at once at most.
#[helix_module(name = "tally", version = "2.0.0", flags = HOT_RELOADABLE)]
#[derive(Default)]
pub struct TallyV2 {
    last: u64,
    ticks: u64,
    longest: u64,
}

#[helix_handlers]
impl TallyV2 {
    #[on_event(Tick)]
    fn tick(&mut self, &Tick { tick_number, .. }: &Tick) {
        let came = tick_number - self.last;
        self.ticks += came;
        self.longest = self.longest.max(came);
        self.last = tick_number;
    }

    /// How many ticks there were.
    #[on_request]
    fn ticks(&self) -> u64 {
        self.ticks
    }

    /// How many came at once at most.
    #[on_request]
    fn longest(&self) -> u64 {
        self.longest
    }

    #[on_save(version = 2)]
    fn save(&self) -> SavedV2 {
        SavedV2 { ticks: self.ticks, longest: self.longest }
    }

    #[on_restore(version = 2)]
    fn restore(&mut self, saved: SavedV2) {
        (self.last, self.ticks, self.longest) = (saved.ticks, saved.ticks, saved.longest);
    }

    #[on_restore(version = 1)]
    fn restore_v1(&mut self, saved: SavedV1) {
        (self.last, self.ticks) = (saved.ticks, saved.ticks);
    }
}
