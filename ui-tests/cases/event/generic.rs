// A generic event.
use helix_runtime::prelude::*;

#[helix_message]
#[derive(Clone, EventType)]
pub struct Packet<T> {
    pub payload: T,
}

fn main() {}
