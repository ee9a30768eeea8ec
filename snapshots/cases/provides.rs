//! A module that provides two contracts and a plain name.

use helix_runtime::prelude::*;
use helix_runtime::{Module, Runtime, modules};

#[helix_service("clock")]
pub trait Clock {
    fn now(&self) -> u64;
}

pub mod contracts {
    //! A contract elsewhere.
    use helix_runtime::prelude::*;

    #[helix_service("alarm")]
    pub trait Alarm {
        fn wake_at(&mut self, at: u64);
    }
}

#[helix_module(provides = ["time.source", Clock, contracts::Alarm])]
#[derive(Default)]
pub struct Quartz {
    wake_at: u64,
}

#[helix_handlers]
impl Quartz {}

impl Clock for Quartz {
    fn now(&self) -> u64 {
        40 + self.wake_at
    }
}

impl contracts::Alarm for Quartz {
    fn wake_at(&mut self, at: u64) {
        self.wake_at = at;
    }
}

#[test]
fn its_contracts_are_called_through_their_clients() {
    let runtime = Runtime::builder().modules(modules![Quartz]).build().unwrap();
    runtime.start().unwrap();
    let alarm: contracts::AlarmClient = runtime.service().unwrap();
    alarm.wake_at(2).unwrap();
    assert_eq!(runtime.service::<ClockClient>().unwrap().now().unwrap(), 42);
    assert_eq!(runtime.call::<(), u64>("time.source.now", ()).unwrap(), 42);
    assert_eq!(Quartz::INFO.provides, ["clock", "alarm", "time.source"]);
}
