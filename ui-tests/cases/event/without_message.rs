// An event without `#[helix_message]`.
use helix_runtime::prelude::*;

#[derive(Clone, EventType)]
pub struct Packet {
    pub bytes: Vec<u8>,
}

fn main() {}
