// A module whose attribute is wrong is a module all the same.
use helix_runtime::modules;
use helix_runtime::prelude::*;

#[helix_service("clock")]
pub trait Clock {
    fn now(&self) -> u64;
}

#[helix_module(provides = [Clock], flagz = DRIVER)]
#[derive(Default)]
pub struct Timer {
    ticks: u64,
}

#[helix_handlers]
impl Timer {
    #[on_event(Tick)]
    fn tick(&mut self) {
        self.ticks += 1;
    }
}

impl Clock for Timer {
    fn now(&self) -> u64 {
        self.ticks
    }
}

fn main() {
    let runtime = helix_runtime::Runtime::builder().modules(modules![Timer]).build().unwrap();
    let clock: ClockClient = runtime.service().unwrap();
    let _ = clock.now();
}
