//! The first version of what is replaced.

use helix_conformance::contract::{CountV1, Counting, obey, say, wait_at};
use helix_runtime::prelude::*;

/// Counts.
#[helix_module(name = "counter", version = "1.0.0", provides = [Counting], flags = HOT_RELOADABLE)]
#[derive(Default)]
pub struct CounterV1 {
    count: u32,
    /// The step of this version that fails.
    #[config]
    fail: Option<String>,
    /// The step of its successor that fails.
    #[config]
    next_fails: Option<String>,
}

#[helix_handlers]
impl CounterV1 {
    #[on_init]
    fn init(&mut self, ctx: &Context) {
        say(ctx, "v1 init");
    }
    #[on_start]
    fn start(&mut self, ctx: &Context) {
        say(ctx, "v1 start");
    }
    #[on_stop]
    fn stop(&mut self, ctx: &Context) -> Result<(), ModuleError> {
        say(ctx, "v1 stop");
        obey(self.fail.as_deref(), "stop")
    }
    #[on_request]
    fn add(&mut self, n: u32) -> u64 {
        self.count += n;
        self.count.into()
    }
    #[on_event(Tick)]
    fn tick(&mut self) {
        self.count += 1;
    }
    #[on_request]
    fn version(&self) -> String {
        format!("v1, then {}", self.next_fails.as_deref().unwrap_or("all is well"))
    }
    #[on_request]
    fn hold(&mut self, ctx: &Context) -> Result<u64, ModuleError> {
        wait_at("gate", ctx)?;
        Ok(self.count.into())
    }
    /// Asks whoever manages the modules, from inside of this one.
    #[on_request]
    fn ask(&mut self, what: &str, ctx: &Context) -> Result<String, ModuleError> {
        match ctx.request("manager", Request::new(what))? {
            Response::Success(answer) => Ok(format!("v1 hears {}", String::from_utf8_lossy(&answer))),
            other => Err(format!("{other:?}").into()),
        }
    }
    #[on_save(version = 1)]
    fn save(&self, ctx: &Context) -> Result<CountV1, ModuleError> {
        say(ctx, "v1 save");
        obey(self.fail.as_deref(), "save")?;
        Ok(CountV1 { count: self.count })
    }
    #[on_restore(version = 1)]
    fn restore(&mut self, saved: CountV1, ctx: &Context) {
        say(ctx, "v1 restore");
        self.count = saved.count;
    }
}

impl Counting for CounterV1 {
    fn count(&self) -> u64 {
        self.count.into()
    }
}
