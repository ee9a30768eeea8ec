//! A module with a lifetime, used as `'static`.

use core::marker::PhantomData;
use helix_runtime::prelude::*;
use helix_runtime::{Runtime, modules};

#[helix_module]
#[derive(Default)]
pub struct Named<'a> {
    name: &'a str,
}

#[helix_handlers]
impl<'a> Named<'a> {
    #[on_init]
    fn init(&mut self) {
        self.name = "set";
    }
    #[on_request]
    fn name(&self) -> String {
        self.name.to_owned()
    }
}

#[helix_module]
#[derive(Default)]
pub struct Elided<'a>(PhantomData<&'a ()>);

#[helix_handlers]
impl Elided<'_> {
    #[on_request]
    fn answer(&self) -> u8 {
        42
    }
}

#[helix_module]
#[derive(Default)]
pub struct Fixed<'a>(PhantomData<&'a ()>);

#[helix_handlers]
impl Fixed<'static> {
    #[on_request]
    fn answer(&self) -> u8 {
        43
    }
}

#[test]
fn a_lifetime_is_the_program_s() {
    let runtime =
        Runtime::builder().modules(modules![Named<'static>, Elided<'static>, Fixed<'static>]).build().unwrap();
    runtime.start().unwrap();
    assert_eq!(runtime.call::<(), String>("named.name", ()).unwrap(), "set");
    assert_eq!(runtime.call::<(), u8>("elided.answer", ()).unwrap(), 42);
    assert_eq!(runtime.call::<(), u8>("fixed.answer", ()).unwrap(), 43);
}
