// An event without `Clone`.
use helix_runtime::prelude::*;

#[helix_message]
#[derive(EventType)]
pub struct Packet {
    pub bytes: Vec<u8>,
}

fn main() {}
