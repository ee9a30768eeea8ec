//! Publishes what it hears itself.

use helix_conformance::contract::{Link, Packet, say, wait_at};
use helix_runtime::prelude::*;

/// Busy while it publishes.
#[helix_module]
#[derive(Default)]
pub struct Echo {
    packets: u64,
}

#[helix_handlers]
impl Echo {
    #[on_event(Link)]
    fn link(&mut self, link: &Link, ctx: &Context) {
        let (mut queued, mut dropped) = (0, 0);
        for number in 1..=link.packets {
            let heard = ctx.publish(&Packet { number });
            queued += heard.queued;
            dropped += heard.dropped;
        }
        say(ctx, format_args!("{queued} queued, {dropped} dropped"));
    }
    #[on_event(Packet)]
    fn packet(&mut self, packet: &Packet, ctx: &Context) {
        self.packets += 1;
        say(ctx, format_args!("packet {}", packet.number));
    }
    #[on_request]
    fn hold(&mut self, ctx: &Context) -> Result<u64, ModuleError> {
        wait_at("gate", ctx)?;
        Ok(self.packets)
    }
    #[on_request]
    fn packets(&self) -> u64 {
        self.packets
    }
}
