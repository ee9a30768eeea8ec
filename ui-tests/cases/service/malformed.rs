// `#[helix_service]` without its name, and with what it does not take.
use helix_runtime::prelude::*;

#[helix_service]
pub trait Bare {
    fn quantum(&self) -> u64;
}

#[helix_service()]
pub trait Empty {
    fn quantum(&self) -> u64;
}

#[helix_service(name = "scheduler")]
pub trait Named {
    fn quantum(&self) -> u64;
}

#[helix_service(scheduler)]
pub trait Unquoted {
    fn quantum(&self) -> u64;
}

#[helix_service("scheduler", version = "1.0.0")]
pub trait Unknown {
    fn quantum(&self) -> u64;
}

#[helix_service("CPU Scheduler")]
pub trait BadName {
    fn quantum(&self) -> u64;
}

#[helix_service("a", "b")]
pub trait Two {
    fn quantum(&self) -> u64;
}

fn main() {}
