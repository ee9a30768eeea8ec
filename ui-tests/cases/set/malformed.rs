// What the list does not take.
use helix_runtime::modules;
use helix_runtime::prelude::*;

#[helix_module]
#[derive(Default)]
pub struct Timer;

#[helix_handlers]
impl Timer {}

fn main() {
    modules![.., Timer];
    modules![Timer Timer];
    modules!["timer"];
    modules![#[cfg(all())] Timer];
}
