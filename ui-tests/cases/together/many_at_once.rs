// Mistakes of many kinds, all reported in one run.
use helix_runtime::modules;
use helix_runtime::prelude::*;

#[helix_module(nmae = "clock", flags = DRIVR, version = "1")]
#[derive(Default)]
pub struct Clock {
    #[config(defualt = 10)]
    period_ms: u64,
}

#[helix_handlers]
impl Clock {
    #[on_event]
    fn nothing(&mut self) {}
    #[on_event(Tik)]
    fn tick(&mut self, _tick: &Tick) {}
    #[on_request]
    async fn later(&self) -> u64 {
        0
    }
    #[on_request]
    fn size(&self) -> usize {
        0
    }
    #[on_init]
    fn first(&mut self) {}
    #[on_init]
    fn second(&mut self) {}
}

pub struct Plain;

#[helix_message]
pub struct Status {
    pub plain: Plain,
    #[serde(skip)]
    pub skipped: u64,
}

#[helix_module(flags = HOT_RELOADABLE)]
#[derive(Default)]
pub struct Timer;

#[helix_handlers]
impl Timer {}

#[helix_module]
#[derive(Default)]
pub struct Lonely;

#[helix_module(name = "needy", dependencies = ["nobody"])]
#[derive(Default)]
pub struct Needy;

#[helix_handlers]
impl Needy {}

fn main() {
    modules![Needy];
}
