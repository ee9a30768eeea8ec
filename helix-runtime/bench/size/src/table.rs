//! The table that one would write by hand: names, function pointers, and a loop over them.
#![allow(dead_code)]

use helix_runtime::Tick;

pub const TICK: u8 = 1;

pub struct OnEvent {
    pub topic: u8,
    pub priority: i16,
    pub call: fn(&Tick),
}

pub struct OnRequest {
    pub name: &'static str,
    pub call: fn(*const ()) -> u32,
}

pub struct Module {
    pub name: &'static str,
    pub version: (u16, u16, u16),
    pub events: &'static [OnEvent],
    pub requests: &'static [OnRequest],
}

#[inline(never)]
pub fn publish(table: &'static [Module], tick: &Tick) -> u32 {
    let mut handled = 0;
    for entry in table.iter().flat_map(|module| module.events).filter(|entry| entry.topic == TICK) {
        (entry.call)(tick);
        handled += 1;
    }
    handled
}

#[inline(never)]
pub fn call(table: &'static [Module], (module, request): (&str, &str), args: *const ()) -> Option<u32> {
    let module = table.iter().find(|entry| entry.name == module)?;
    let request = module.requests.iter().find(|entry| entry.name == request)?;
    Some((request.call)(args))
}
