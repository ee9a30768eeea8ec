// A misspelt event: the compiler's own suggestion.
use helix_runtime::prelude::*;

#[helix_module]
#[derive(Default)]
pub struct Timer;

#[helix_handlers]
impl Timer {
    #[on_event(Tik)]
    fn tick(&mut self, _tick: &Tick) {}
}

fn main() {}
