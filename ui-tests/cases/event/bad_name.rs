// A topic that breaks the rule for names, and one of Helix's own.
use helix_runtime::prelude::*;

#[helix_module]
#[derive(Default)]
pub struct Net;

#[helix_handlers]
impl Net {
    #[on_event("net packet")]
    fn packet(&mut self) {}
    #[on_event("tick")]
    fn tick(&mut self) {}
}

fn main() {}
