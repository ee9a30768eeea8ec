//! The least that is a module.

use helix_runtime::prelude::*;
use helix_runtime::{Module, Runtime, modules};

#[helix_module]
#[derive(Default)]
pub struct TickCounter;

#[helix_handlers]
impl TickCounter {}

#[test]
fn it_is_named_after_its_struct() {
    assert_eq!(TickCounter::INFO.name, "tick-counter");
    let runtime = Runtime::builder().modules(modules![TickCounter]).build().unwrap();
    runtime.start().unwrap();
    runtime.stop().unwrap();
}
