// A type that is no event.
use helix_runtime::prelude::*;

#[helix_message]
#[derive(Clone)]
pub struct Packet {
    pub bytes: Vec<u8>,
}

#[helix_module]
#[derive(Default)]
pub struct Net;

#[helix_handlers]
impl Net {
    #[on_event(Packet)]
    fn packet(&mut self, _packet: &Packet) {}
    #[on_event(Packet)]
    fn silent(&mut self) {}
    #[on_event(u64, priority = HIGH)]
    fn number(&mut self) {}
}

fn main() {}
