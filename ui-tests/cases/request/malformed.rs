// `#[on_request]` with what it does not take.
use helix_runtime::prelude::*;

#[helix_module]
#[derive(Default)]
pub struct Timer;

#[helix_handlers]
impl Timer {
    #[on_request()]
    fn empty(&self) {}
    #[on_request = "ticks"]
    fn equals(&self) {}
    #[on_request(name = "ticks")]
    fn named(&self) {}
    #[on_request(ticks)]
    fn unquoted(&self) {}
    #[on_request("a" permission = "b")]
    fn comma(&self) {}
    #[on_request("c", permision = "b")]
    fn unknown(&self) {}
    #[on_request("d", permission)]
    fn no_value(&self) {}
    #[on_request("e", permission = "Tune It")]
    fn bad_permission(&self) {}
    #[on_request("f", permission = "x", permission = "y")]
    fn twice(&self) {}
    #[on_request("g", "h")]
    fn two_names(&self) {}
    #[on_request(5)]
    fn number(&self) {}
}

fn main() {}
