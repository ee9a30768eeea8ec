//! The modules of a program: one with a lock, one without, and one that needs the first and shares its lock with itself.

use helix_runtime::prelude::*;
use helix_runtime::{Descriptor, Module};

use crate::real::{Who, asked, hears, note};

#[helix_message]
#[derive(Debug, Clone, PartialEq, EventType)]
#[event(topic = "net", name = "net.packet")]
pub struct Packet {
    pub length: u32,
}

#[helix_message]
#[derive(Debug, Clone, PartialEq, EventType)]
#[event(topic = "net", name = "net.link")]
pub struct Link {
    pub up: bool,
}

pub static MODULES: [&Descriptor; 3] = [Alpha::DESCRIPTOR, Beta::DESCRIPTOR, Gamma::DESCRIPTOR];

/// Only one call at a time is inside.
#[helix_module(name = "alpha", flags = HOT_RELOADABLE)]
#[derive(Default)]
pub struct Alpha {
    heard: u64,
}

#[helix_handlers]
impl Alpha {
    #[on_init]
    fn init(&mut self) {
        note("alpha init".into());
    }
    #[on_start]
    fn start(&mut self) {
        note("alpha start".into());
    }
    #[on_stop]
    fn stop(&mut self) {
        note(format!("alpha stop after {}", self.heard));
    }
    #[on_event(Tick, priority = HIGH)]
    fn tick(&mut self, event: &Event, ctx: &Context) -> EventResponse {
        self.heard += 1;
        hears(Who::Module(0), "tick", event, Some(ctx))
    }
    #[on_event("net")]
    fn net(&mut self, event: &Event, ctx: &Context) -> EventResponse {
        self.heard += 1;
        hears(Who::Module(0), "net", event, Some(ctx))
    }
    #[on_request(raw)]
    fn ask(&mut self, request: &Request, ctx: &Context) -> Result<Response, ModuleError> {
        asked(Who::Module(0), request, Some(ctx))
    }
    #[on_save(version = 1)]
    fn save(&self) -> u64 {
        self.heard
    }
    #[on_restore(version = 1)]
    fn restore(&mut self, heard: u64) {
        self.heard = heard;
    }
}

/// Any number of calls are inside, also of one chain.
#[helix_module(name = "beta", provides = ["helper"], flags = HOT_RELOADABLE, stateless)]
#[derive(Default)]
pub struct Beta;

#[helix_handlers]
impl Beta {
    #[on_init]
    fn init(&mut self) {
        note("beta init".into());
    }
    #[on_start]
    fn start(&self) {
        note("beta start".into());
    }
    #[on_stop]
    fn stop(&self) {
        note("beta stop".into());
    }
    #[on_event(Tick)]
    fn tick(&self, event: &Event, ctx: &Context) -> EventResponse {
        hears(Who::Module(1), "tick", event, Some(ctx))
    }
    #[on_event(Process)]
    fn process(&self, event: &Event, ctx: &Context) -> EventResponse {
        hears(Who::Module(1), "process", event, Some(ctx))
    }
    #[on_event(Packet, priority = LOW)]
    fn packet(&self, event: &Event, ctx: &Context) -> EventResponse {
        hears(Who::Module(1), "net.packet", event, Some(ctx))
    }
    #[on_event(ModuleLoaded)]
    fn module(&self, event: &Event, ctx: &Context) -> EventResponse {
        hears(Who::Module(1), "module", event, Some(ctx))
    }
    #[on_request(raw)]
    fn ask(&self, request: &Request, ctx: &Context) -> Result<Response, ModuleError> {
        asked(Who::Module(1), request, Some(ctx))
    }
}

/// Calls that only look are inside together.
#[helix_module(name = "gamma", dependencies("alpha"), flags = HOT_RELOADABLE, stateless)]
#[derive(Default)]
pub struct Gamma {
    links: u64,
}

#[helix_handlers]
impl Gamma {
    #[on_init]
    fn init(&mut self) {
        note("gamma init".into());
    }
    #[on_start]
    fn start(&mut self) {
        note("gamma start".into());
    }
    #[on_stop]
    fn stop(&mut self) {
        note(format!("gamma stop after {}", self.links));
    }
    #[on_event(Packet, priority = HIGHEST)]
    fn packet(&self, event: &Event, ctx: &Context) -> EventResponse {
        hears(Who::Module(2), "net.packet", event, Some(ctx))
    }
    #[on_event("net.link")]
    fn link(&mut self, event: &Event, ctx: &Context) -> EventResponse {
        self.links += 1;
        hears(Who::Module(2), "net.link", event, Some(ctx))
    }
    #[on_event(Event, priority = LOWEST)]
    fn all(&self, event: &Event, ctx: &Context) -> EventResponse {
        hears(Who::Module(2), "all", event, Some(ctx))
    }
    #[on_request(raw)]
    fn ask(&self, request: &Request, ctx: &Context) -> Result<Response, ModuleError> {
        asked(Who::Module(2), request, Some(ctx))
    }
}
