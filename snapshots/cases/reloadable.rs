//! A module that may be reloaded: with nothing to keep.

use helix_runtime::prelude::*;
use helix_runtime::{Module, ModuleFlags};

#[helix_module(flags = HOT_RELOADABLE, stateless = true)]
#[derive(Default)]
pub struct Echo;

#[helix_handlers]
impl Echo {
    #[on_request]
    fn echo(&self, text: &str) -> String {
        text.to_owned()
    }
}

#[test]
fn it_is_reloadable_without_saved_state() {
    assert_eq!(Echo::INFO.flags, ModuleFlags::HOT_RELOADABLE);
}
