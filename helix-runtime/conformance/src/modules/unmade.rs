//! Its constructor panics.

use helix_runtime::prelude::*;

/// Never there.
#[helix_module(new = unmade)]
pub struct Unmade;

fn unmade() -> Unmade {
    panic!("cannot be made")
}

#[helix_handlers]
impl Unmade {}
