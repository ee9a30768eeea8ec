// `#[event]` empty, and with what it does not take.
use helix_runtime::prelude::*;

#[helix_message]
#[derive(Clone, EventType)]
#[event]
pub struct Bare;

#[helix_message]
#[derive(Clone, EventType)]
#[event()]
pub struct Empty;

#[helix_message]
#[derive(Clone, EventType)]
#[event = "net"]
pub struct Equals;

#[helix_message]
#[derive(Clone, EventType)]
#[event("net.packet")]
pub struct Text;

#[helix_message]
#[derive(Clone, EventType)]
#[event(topc = "net")]
pub struct Unknown;

#[helix_message]
#[derive(Clone, EventType)]
#[event(name = "Net Packet")]
pub struct BadName;

#[helix_message]
#[derive(Clone, EventType)]
#[event(topic = net)]
pub struct NoQuotes;

#[helix_message]
#[derive(Clone, EventType)]
#[event(topic = "net", topic = "io")]
pub struct Twice;

#[helix_message]
#[derive(Clone, EventType)]
#[event(topic = "net")]
#[event(name = "net.packet")]
pub struct TwoAttributes;

fn main() {}
