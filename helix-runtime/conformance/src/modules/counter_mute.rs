//! A version that no longer provides what others need of it.

use helix_runtime::prelude::*;

/// Counts nothing.
#[helix_module(name = "counter", version = "2.1.0", flags = HOT_RELOADABLE, stateless)]
#[derive(Default)]
pub struct CounterMute;

#[helix_handlers]
impl CounterMute {}
