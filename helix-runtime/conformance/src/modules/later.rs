//! Puts every packet off once.

use helix_conformance::contract::{Packet, say};
use helix_runtime::prelude::*;

/// Not now.
#[helix_module(flags = HOT_RELOADABLE, stateless)]
#[derive(Default)]
pub struct Later {
    put_off: Vec<u64>,
}

#[helix_handlers]
impl Later {
    #[on_event(Packet)]
    fn packet(&mut self, packet: &Packet, ctx: &Context) -> EventResponse {
        if !self.put_off.contains(&packet.number) {
            self.put_off.push(packet.number);
            return EventResponse::Deferred;
        }
        say(ctx, format_args!("packet {}", packet.number));
        EventResponse::Handled
    }
}
