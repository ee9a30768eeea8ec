//! Provides what another provides.

use helix_runtime::prelude::*;

/// One of two.
#[helix_module(provides = ["shapes"])]
#[derive(Default)]
pub struct Rival;

#[helix_handlers]
impl Rival {
    #[on_request]
    fn greet(&self, name: &str) -> String {
        format!("go away, {name}")
    }
}
