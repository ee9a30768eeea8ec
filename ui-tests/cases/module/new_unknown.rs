// A constructor that does not exist, and one that takes arguments.
use helix_runtime::prelude::*;

#[helix_module(new = Timer::creat)]
pub struct Timer;

impl Timer {
    pub fn create() -> Self {
        Self
    }
}

#[helix_handlers]
impl Timer {}

#[helix_module(new = Clock::create)]
pub struct Clock;

impl Clock {
    pub fn create(_ticks: u64) -> Self {
        Self
    }
}

#[helix_handlers]
impl Clock {}

#[helix_module(new = Watch::create)]
pub struct Watch;

impl Watch {
    pub fn create() -> Option<Self> {
        Some(Self)
    }
}

#[helix_handlers]
impl Watch {}

fn main() {}
