//! A mistake that is configured away spoils nothing beside it, and a type may have another name.
#![allow(missing_docs)]

use helix_runtime::prelude::*;
use helix_runtime::{Module, Runtime, modules};

#[helix_service("door")]
pub trait Door {
    fn knock(&self, times: u32) -> u32;
    #[cfg(any())]
    async fn open<T>(self) -> &T;
    #[cfg(any())]
    const WIDTH: u32;
}

type Well = bool;

#[helix_module(provides = [Door], flags = HOT_RELOADABLE)]
#[derive(Default)]
pub struct Oak;

#[helix_handlers]
impl Oak {
    #[on_health]
    fn health(&self) -> Well {
        true
    }

    #[on_save(version = 1)]
    fn save(&self) -> u32 {
        7
    }

    #[on_restore(version = 1)]
    fn restore(&mut self, _saved: u32) {}

    #[cfg(any())]
    #[on_event(Tick)]
    fn tick(&mut self, tick: &mut Tick) -> impl Sized {}
}

impl Door for Oak {
    fn knock(&self, times: u32) -> u32 {
        times
    }
}

#[test]
fn what_is_left_works() {
    assert_eq!(Oak::DESCRIPTOR.requests().count(), 1);
    let runtime = Runtime::builder().modules(modules![Oak]).build().unwrap();
    runtime.start().unwrap();
    assert_eq!(runtime.call::<(u32,), u32>("door.knock", (3,)).unwrap(), 3);
}
