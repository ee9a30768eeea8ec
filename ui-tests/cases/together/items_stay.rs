// After a mistake in every attribute the user's items are still there: nothing else is reported.
use helix_runtime::prelude::*;

#[helix_module(nmae = "timer")]
#[derive(Default)]
pub struct Timer {
    #[config(defualt = 10)]
    period_ms: u64,
}

#[helix_handlers(of = Timer)]
impl Timer {
    #[on_event]
    fn tick(&mut self) {
        self.period_ms += 1;
    }
    pub const LIMIT: u64 = 10;
}

#[helix_service]
pub trait Clock {
    fn now(&self) -> u64;
}

impl Clock for Timer {
    fn now(&self) -> u64 {
        self.period_ms
    }
}

#[helix_message]
#[derive(Clone, EventType)]
#[event(topc = "x")]
pub struct Status {
    #[serde(skip)]
    pub ticks: u64,
}

impl Timer {
    #[on_init]
    fn outside(&mut self) -> Status {
        Status { ticks: Self::LIMIT }
    }
}

fn main() {
    let mut timer = Timer::default();
    timer.tick();
    let _ = timer.outside().clone().ticks + timer.now();
}
