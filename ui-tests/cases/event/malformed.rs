// `#[on_event]` empty, and with what it does not take.
use helix_runtime::prelude::*;

#[helix_module]
#[derive(Default)]
pub struct Timer;

#[helix_handlers]
impl Timer {
    #[on_event]
    fn bare(&mut self) {}
    #[on_event()]
    fn empty(&mut self) {}
    #[on_event = Tick]
    fn equals(&mut self) {}
    #[on_event = "tick"]
    fn equals_text(&mut self) {}
    #[on_event(Tick, High)]
    fn two(&mut self) {}
    #[on_event(Tick, Shutdown)]
    fn two_events(&mut self) {}
    #[on_event(Tick | Shutdown)]
    fn or(&mut self) {}
    #[on_event(Tick, priority)]
    fn no_value(&mut self) {}
    #[on_event(Tick, priority =)]
    fn nothing(&mut self) {}
    #[on_event(Tick, prio = HIGH)]
    fn unknown(&mut self) {}
    #[on_event(Tick, priority = HIGHER)]
    fn unknown_priority(&mut self) {}
    #[on_event(Tick, priority = HIGH, priority = LOW)]
    fn twice(&mut self) {}
    #[on_event(priority = HIGH)]
    fn no_event(&mut self) {}
    #[on_event(5)]
    fn number(&mut self) {}
}

fn main() {}
