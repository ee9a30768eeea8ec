// Fields that cannot travel.
use helix_runtime::prelude::*;

pub struct Plain;

#[helix_message]
pub struct Status {
    pub plain: Plain,
    pub size: usize,
}

#[helix_message]
pub enum State {
    Running(Plain),
    Stopped { since: std::time::Instant },
}

fn main() {}
