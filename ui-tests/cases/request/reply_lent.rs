// A reply that is lent.
use helix_runtime::prelude::*;

#[helix_module]
#[derive(Default)]
pub struct Timer {
    name: String,
}

#[helix_handlers]
impl Timer {
    #[on_request]
    fn name(&self) -> &str {
        &self.name
    }
    #[on_request]
    fn maybe(&self) -> Option<&str> {
        None
    }
    #[on_request]
    fn any(&self) -> impl Into<String> {
        ""
    }
}

fn main() {}
