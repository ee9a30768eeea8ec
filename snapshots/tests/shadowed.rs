//! A module whose crate gives the prelude's names to other things.
#![allow(dead_code, missing_docs)]

macro_rules! shadows {
    ($($name:ident)*) => { $(
        /// In the way.
        pub struct $name;
    )* };
}
shadows! {
    Result Option Ok Err Some None Default Vec String Box Clone Copy Send Sync Sized Fn FnMut FnOnce Drop From Into Iterator
    Debug Eq PartialEq Ord Serialize Deserialize Schema Message Module Handlers Handler Setting Descriptor Priority Step
    Codec Link Client Event ModuleInfo ModuleFlags
}
/// In the way as modules.
pub mod core {}
/// In the way as modules.
pub mod std {}
/// In the way as modules.
pub mod alloc {}
/// In the way as modules.
pub mod helix_runtime {}
/// In the way as modules.
pub mod serde {}
/// In the way as modules.
pub mod glue {}

/// In the way as macros.
#[macro_export]
macro_rules! env {
    () => {};
}
/// In the way as macros.
#[macro_export]
macro_rules! panic {
    () => {};
}

use ::helix_runtime::{EventType, helix_handlers, helix_message, helix_module, helix_service};
use ::std::borrow::ToOwned;

#[helix_message]
#[::core::prelude::v1::derive(::core::clone::Clone, EventType)]
pub struct Knock {
    times: u8,
}

#[helix_message]
pub enum Answer {
    Yes,
    No(::std::string::String),
    Later { at: ::core::option::Option<u64>, who: ::std::vec::Vec<u8> },
}

#[helix_service("door")]
pub trait Door {
    fn open(&mut self, name: &str, key: &[u8]) -> Answer;
    fn close(&mut self) -> ::core::result::Result<u8, Answer>;
}

#[helix_module(
    provides = [Door, "house.door"],
    dependencies("bell" = { version = "^0.1", optional = true }),
    flags = HOT_RELOADABLE | DRIVER,
    kind = app,
)]
#[::core::prelude::v1::derive(::core::default::Default)]
pub struct FrontDoor {
    #[config(default = "front")]
    name: ::std::string::String,
    #[config]
    limit: ::core::option::Option<u8>,
    #[config(default = 3)]
    knocks: u8,
}

#[helix_handlers]
impl FrontDoor {
    #[on_init]
    fn init(&mut self, ctx: &::helix_runtime::Context) -> ::core::result::Result<(), ::helix_runtime::ModuleError> {
        self.name = ctx.name().to_owned();
        ::core::result::Result::Ok(())
    }
    #[on_health]
    fn healthy(&self) -> bool {
        true
    }
    #[on_event(Knock, priority = HIGH)]
    fn knock(&mut self, knock: &Knock) -> ::helix_runtime::EventResponse {
        self.knocks += knock.times;
        ::helix_runtime::EventResponse::Handled
    }
    #[on_event("rain")]
    fn rain(&self, _: &::helix_runtime::Custom) {}
    #[on_request]
    fn knocks(&self) -> ::core::result::Result<u8, ::helix_runtime::ModuleError> {
        ::core::result::Result::Ok(self.knocks)
    }
    #[on_request(raw)]
    fn raw(
        &self,
        request: &::helix_runtime::Request,
    ) -> ::core::result::Result<::helix_runtime::Response, ::helix_runtime::ModuleError> {
        ::core::result::Result::Ok(::helix_runtime::Response::ok(::core::clone::Clone::clone(&request.payload)))
    }
    #[on_save(version = 1)]
    fn save(&self) -> u8 {
        self.knocks
    }
    #[on_restore(version = 1)]
    fn restore(&mut self, knocks: u8) {
        self.knocks = knocks;
    }
}

impl Door for FrontDoor {
    fn open(&mut self, name: &str, key: &[u8]) -> Answer {
        match self.limit {
            ::core::option::Option::None if key.is_empty() => Answer::No(name.to_owned()),
            ::core::option::Option::None => Answer::Yes,
            at => Answer::Later { at: at.map(::core::convert::From::from), who: key.to_owned() },
        }
    }
    fn close(&mut self) -> ::core::result::Result<u8, Answer> {
        ::core::result::Result::Err(Answer::Yes)
    }
}

#[::core::prelude::v1::test]
fn its_module_runs() {
    let set = ::helix_runtime::modules![FrontDoor];
    let runtime = ::helix_runtime::Runtime::builder().modules(set).build().unwrap();
    runtime.start().unwrap();
    ::std::assert!(runtime.publish(&Knock { times: 2 }).is_clean());
    ::std::assert!(::core::matches!(runtime.call::<(), u8>("front-door.knocks", ()), ::core::result::Result::Ok(5)));
    let door: DoorClient = runtime.service().unwrap();
    ::std::assert!(::core::matches!(door.open("me", &[]), ::core::result::Result::Ok(Answer::No(_))));
    ::std::assert!(door.close().is_err());
}
