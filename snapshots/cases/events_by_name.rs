//! Events by name: a topic that no type of this crate stands for.

use helix_runtime::prelude::*;
use helix_runtime::{Runtime, modules};

#[helix_message]
#[derive(Debug, Clone, EventType)]
#[event(topic = "net", name = "net.packet")]
pub struct Packet {
    bytes: Vec<u8>,
}

#[helix_module]
#[derive(Default)]
pub struct Sniffer {
    bytes: u64,
    events: u64,
}

#[helix_handlers]
impl Sniffer {
    #[on_event("net.packet")]
    fn packet(&mut self, packet: &Custom, ctx: &Context) {
        assert_eq!(ctx.name(), "sniffer");
        self.bytes += packet.get::<Packet>().map_or(0, |packet| packet.bytes.len() as u64);
    }
    #[on_event("net", priority = HIGHEST)]
    fn any_of_the_topic(&mut self, event: &Event) -> EventResponse {
        self.events += u64::from(event.topic() == "net");
        EventResponse::Handled
    }
    #[on_event("net.packet")]
    fn without_parameter(&mut self) {
        self.events += 1;
    }
    #[on_request]
    fn seen(&self) -> (u64, u64) {
        (self.bytes, self.events)
    }
}

#[test]
fn a_name_hears_the_type_behind_it() {
    let runtime = Runtime::builder().modules(modules![Sniffer]).build().unwrap();
    runtime.start().unwrap();
    assert_eq!(runtime.publish(&Packet { bytes: vec![1, 2, 3] }).handled, 3);
    assert_eq!(runtime.call::<(), (u64, u64)>("sniffer.seen", ()).unwrap(), (3, 2));
}
