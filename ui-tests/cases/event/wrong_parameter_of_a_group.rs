// A group and a name are no type's alone.
use helix_runtime::prelude::*;

#[helix_module]
#[derive(Default)]
pub struct Timer;

#[helix_handlers]
impl Timer {
    #[on_event(Process)]
    fn process(&mut self, _process: &Process) {}
    #[on_event("net.packet")]
    fn packet(&mut self, _packet: &Tick) {}
    #[on_event(Event)]
    fn any(&mut self, _event: &Tick) {}
}

fn main() {}
