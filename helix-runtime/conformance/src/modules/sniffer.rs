//! Hears one event by its type, its name, its topic, and as one of all.

use helix_conformance::contract::{Link, Packet, say};
use helix_runtime::prelude::*;

/// Hears the net.
#[helix_module]
#[derive(Default)]
pub struct Sniffer;

#[helix_handlers]
impl Sniffer {
    #[on_event(Packet)]
    fn packet(&self, packet: &Packet, ctx: &Context) {
        say(ctx, format_args!("packet {}", packet.number));
    }
    #[on_event("net")]
    fn net(&self, custom: &Custom, ctx: &Context) {
        let link = custom.get::<Link>().map(|link| link.packets);
        say(ctx, format_args!("net: {} {link:?} {:?}", custom.name(), custom.data()));
    }
    #[on_event("net.link")]
    fn link(&self, event: &Event, ctx: &Context) {
        say(ctx, format_args!("net.link: {}", event.name()));
    }
    #[on_event(Event, priority = LOWEST)]
    fn all(&self, event: &Event, ctx: &Context) -> EventResponse {
        if !event.name().starts_with("net") {
            return EventResponse::Ignored;
        }
        say(ctx, format_args!("all: {}/{}", event.topic(), event.name()));
        EventResponse::Handled
    }
}
