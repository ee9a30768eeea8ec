//! The runtime under another path, on every attribute.

pub mod kernel {
    //! Where this program keeps its runtime.
    pub use helix_runtime as runtime;
}

use kernel::runtime::prelude::*;
use kernel::runtime::{Runtime, modules};

#[helix_message(crate = super::crate_path::kernel::runtime)]
#[derive(Debug, Clone, PartialEq, EventType)]
#[event(name = "crate-path.ping", crate = super::crate_path::kernel::runtime)]
pub struct Ping(u8);

#[helix_service("crate-path.ponger", crate = super::crate_path::kernel::runtime)]
pub trait Ponger {
    fn last(&self) -> Ping;
}

#[helix_module(provides = [Ponger], crate = super::crate_path::kernel::runtime)]
#[derive(Default)]
pub struct Player {
    #[config(default = 1)]
    last: u8,
}

#[helix_handlers(crate = super::crate_path::kernel::runtime)]
impl Player {
    #[on_event(Ping)]
    fn ping(&mut self, &Ping(last): &Ping) {
        self.last = last;
    }
}

impl Ponger for Player {
    fn last(&self) -> Ping {
        Ping(self.last)
    }
}

#[test]
fn every_attribute_finds_it() {
    let runtime = Runtime::builder().modules(modules![Player]).build().unwrap();
    runtime.start().unwrap();
    let ponger: PongerClient = runtime.service().unwrap();
    assert_eq!(ponger.last().unwrap(), Ping(1));
    assert!(runtime.publish(&Ping(7)).is_clean());
    assert_eq!(ponger.last().unwrap(), Ping(7));
}
