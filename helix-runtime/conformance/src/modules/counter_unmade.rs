//! A version whose constructor panics.

use helix_conformance::contract::Counting;
use helix_runtime::prelude::*;

/// Never there.
#[helix_module(name = "counter", version = "3.0.0", provides = [Counting], flags = HOT_RELOADABLE, stateless, new = unmade)]
pub struct CounterUnmade;

fn unmade() -> CounterUnmade {
    panic!("cannot be made")
}

#[helix_handlers]
impl CounterUnmade {}

impl Counting for CounterUnmade {
    fn count(&self) -> u64 {
        0
    }
}
