//! The second version: it counts further, saves more, and takes back what the first one saved.

use helix_conformance::contract::{CountV1, CountV2, Counting, obey, say};
use helix_runtime::prelude::*;

/// Counts further.
#[helix_module(name = "counter", version = "2.0.0", provides = [Counting], flags = HOT_RELOADABLE)]
#[derive(Default)]
pub struct CounterV2 {
    count: u64,
    moves: u64,
    /// The step of the version before that fails.
    #[config]
    fail: Option<String>,
    /// The step of this version that fails.
    #[config]
    next_fails: Option<String>,
}

#[helix_handlers]
impl CounterV2 {
    #[on_init]
    fn init(&mut self, ctx: &Context) -> Result<(), ModuleError> {
        say(ctx, "v2 init");
        obey(self.next_fails.as_deref(), "init")
    }
    #[on_start]
    fn start(&mut self, ctx: &Context) -> Result<(), ModuleError> {
        say(ctx, "v2 start");
        obey(self.next_fails.as_deref(), "start")
    }
    #[on_stop]
    fn stop(&mut self, ctx: &Context) {
        say(ctx, "v2 stop");
    }
    #[on_health]
    fn health(&self) -> bool {
        obey(self.next_fails.as_deref(), "health").is_ok()
    }
    #[on_request]
    fn add(&mut self, n: u32) -> u64 {
        self.count += u64::from(n);
        self.count
    }
    #[on_event(Tick)]
    fn tick(&mut self) {
        self.count += 1;
    }
    #[on_request]
    fn version(&self) -> String {
        format!("v2 after {}, moved {} times", self.fail.as_deref().unwrap_or("v1"), self.moves)
    }
    #[on_save(version = 2)]
    fn save(&self, ctx: &Context) -> CountV2 {
        say(ctx, "v2 save");
        CountV2 { count: self.count, moves: self.moves }
    }
    #[on_restore(version = 2)]
    fn restore(&mut self, saved: CountV2, ctx: &Context) {
        say(ctx, "v2 restore");
        (self.count, self.moves) = (saved.count, saved.moves);
    }
    #[on_restore(version = 1)]
    fn restore_v1(&mut self, saved: CountV1, ctx: &Context) -> Result<(), ModuleError> {
        say(ctx, "v2 restore of v1");
        obey(self.next_fails.as_deref(), "restore")?;
        (self.count, self.moves) = (saved.count.into(), self.moves + 1);
        Ok(())
    }
}

impl Counting for CounterV2 {
    fn count(&self) -> u64 {
        self.count
    }
}
