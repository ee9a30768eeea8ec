//! What a user allows is allowed in what stands for it; what is deprecated may still be a handler.
#![deny(warnings, clippy::all, clippy::pedantic)]
#![allow(missing_docs)]

use helix_runtime::prelude::*;
use helix_runtime::{Runtime, modules};

#[helix_service("old")]
pub trait Old {
    /// Of old.
    #[deprecated = "ask `now`"]
    fn then(&self) -> u8;
    /// Of now.
    fn now(&self) -> u8;
}

#[helix_module(provides = [Old])]
#[derive(Default)]
#[allow(clippy::unnecessary_cast)]
pub struct Ageing {
    #[config(default = 10_u8 as u8)]
    age: u8,
}

#[helix_handlers]
impl Ageing {
    #[deprecated(note = "ask `age`")]
    #[on_request]
    fn years(&self) -> u8 {
        self.age
    }
}

impl Old for Ageing {
    fn then(&self) -> u8 {
        self.age - 1
    }
    fn now(&self) -> u8 {
        self.age
    }
}

#[test]
fn what_is_deprecated_still_answers() {
    let runtime = Runtime::builder().modules(modules![Ageing]).build().unwrap();
    runtime.start().unwrap();
    assert_eq!(runtime.call::<(), u8>("ageing.years", ()).unwrap(), 10);
    let old: OldClient = runtime.service().unwrap();
    #[expect(deprecated, reason = "the client says so too")]
    let then = old.then().unwrap();
    assert_eq!((then, old.now().unwrap()), (9, 10));
}
