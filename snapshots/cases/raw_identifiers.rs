//! Words of the language as names, everywhere.
#![allow(non_camel_case_types)]

use helix_runtime::prelude::*;
use helix_runtime::{ConfigMap, Message, Module, Runtime, modules};

#[helix_message]
#[derive(Debug, Clone, PartialEq, EventType)]
pub struct r#move {
    r#type: u8,
}

#[helix_message]
#[derive(Debug, PartialEq)]
pub enum r#enum {
    r#struct { r#fn: u8 },
    r#mod,
}

#[helix_service("trait")]
pub trait r#trait {
    fn r#match(&self, r#in: u8) -> u8;
}

#[helix_module(provides = [r#trait])]
#[derive(Default)]
pub struct r#loop {
    #[config(default = 1)]
    r#type: u8,
}

#[helix_handlers]
impl r#loop {
    #[on_event(r#move)]
    fn r#for(&mut self, r#move: &r#move) {
        self.r#type = r#move.r#type;
    }
    #[on_request]
    fn r#type(&self, r#ref: u8) -> u8 {
        self.r#type + r#ref
    }
    #[on_request("while")]
    fn not_while(&self) -> r#enum {
        if self.r#type == 0 { r#enum::r#mod } else { r#enum::r#struct { r#fn: self.r#type } }
    }
}

impl r#trait for r#loop {
    fn r#match(&self, r#in: u8) -> u8 {
        self.r#type * r#in
    }
}

#[test]
fn a_raw_identifier_names_what_it_spells() {
    let config: ConfigMap = [("loop.type", "3")].into_iter().collect();
    let runtime = Runtime::builder().config(config).modules(modules![r#loop]).build().unwrap();
    runtime.start().unwrap();
    assert_eq!(runtime.call::<(u8,), u8>("loop.type", (1,)).unwrap(), 4);
    assert!(runtime.publish(&r#move { r#type: 5 }).is_clean());
    assert_eq!(runtime.service::<traitClient>().unwrap().r#match(2).unwrap(), 10);
    let reply = runtime.call::<(), r#enum>("loop.while", ()).unwrap();
    assert_eq!(reply, r#enum::r#struct { r#fn: 5 });
    assert_eq!(<r#enum as Message>::SHAPE.to_string(), "enum<struct{fn:u8}|mod>");
    assert_eq!((r#move::NAME, r#loop::INFO.name), ("move", "loop"));
    let request = r#loop::DESCRIPTOR.requests().next().unwrap();
    assert_eq!((request.name, request.params), ("type", ["ref"].as_slice()));
}
