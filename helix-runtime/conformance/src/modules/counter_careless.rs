//! A version that has changed what it saves, and not the number of it.

use helix_conformance::contract::Counting;
use helix_runtime::prelude::*;

/// Counts in another type.
#[helix_module(name = "counter", version = "1.0.1", provides = [Counting], flags = HOT_RELOADABLE)]
#[derive(Default)]
pub struct CounterCareless {
    count: i32,
}

#[helix_handlers]
impl CounterCareless {
    #[on_save(version = 1)]
    fn save(&self) -> i32 {
        self.count
    }
    #[on_restore(version = 1)]
    fn restore(&mut self, saved: i32) {
        self.count = saved;
    }
}

impl Counting for CounterCareless {
    fn count(&self) -> u64 {
        self.count.unsigned_abs().into()
    }
}
