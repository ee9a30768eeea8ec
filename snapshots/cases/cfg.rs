//! `cfg` and `cfg_attr` on everything that may carry them.

use helix_runtime::prelude::*;
use helix_runtime::{Module, Runtime, modules};

#[cfg(not(any()))]
#[helix_module(flags = HOT_RELOADABLE)]
#[cfg_attr(not(any()), derive(Default))]
pub struct Present {
    #[cfg(not(any()))]
    ticks: u64,
    #[cfg(any())]
    ticks: NoSuchType,
}

#[cfg(any())]
#[helix_module]
pub struct Absent;

#[helix_module]
#[cfg(any())]
pub struct AbsentBelow;

#[cfg(any())]
#[helix_handlers]
impl Absent {}

#[helix_handlers]
#[cfg(not(any()))]
impl Present {
    #[cfg(any())]
    #[on_init]
    fn init(&mut self, none: NoSuchType) -> NoSuchType {
        none
    }
    #[cfg_attr(all(), on_event(Tick), allow(clippy::unused_self))]
    #[cfg_attr(any(), on_event(NoSuchType))]
    fn tick(&mut self) {
        self.ticks += 1;
    }
    #[cfg_attr(not(any()), cfg_attr(not(any()), on_request, cfg_attr(any(), on_request("never"))))]
    fn ticks(&self) -> u64 {
        self.ticks
    }
    #[cfg_attr(any(), on_request)]
    #[allow(dead_code)]
    fn no_request(&self, _: &mut NoMessage) {}
    #[on_save(version = 1)]
    #[cfg_attr(not(any()), cfg(not(any())))]
    fn save(&self) -> u64 {
        self.ticks
    }
    #[cfg(any())]
    #[on_save(version = 2)]
    fn save_otherwise(&self) -> NoSuchType {
        self.ticks
    }
    #[on_restore(version = 1)]
    fn restore(&mut self, ticks: u64) {
        self.ticks = ticks;
    }
}

#[allow(dead_code)]
pub struct NoMessage;

#[test]
fn what_is_configured_away_is_not_there() {
    let runtime = Runtime::builder().modules(modules![Present]).build().unwrap();
    runtime.start().unwrap();
    assert_eq!(runtime.publish(&Tick { timestamp_ns: 0, tick_number: 0 }).handled, 1);
    assert_eq!(runtime.call::<(), u64>("present.ticks", ()).unwrap(), 1);
    let requests: Vec<&str> = Present::DESCRIPTOR.requests().map(|request| request.name).collect();
    assert_eq!(requests, ["ticks"]);
}
