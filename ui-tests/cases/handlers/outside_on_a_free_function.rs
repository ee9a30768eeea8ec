// A handler attribute on a free function.
use helix_runtime::prelude::*;

#[on_event(Tick)]
fn tick(_tick: &Tick) {}

fn main() {}
