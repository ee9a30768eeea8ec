// `#[on_save]` and `#[on_restore]` empty, and with what they do not take.
use helix_runtime::prelude::*;

#[helix_module]
#[derive(Default)]
pub struct Timer;

#[helix_handlers]
impl Timer {
    #[on_save]
    fn bare(&self) -> u64 {
        0
    }
    #[on_save()]
    fn empty(&self) -> u64 {
        0
    }
    #[on_save = 1]
    fn equals(&self) -> u64 {
        0
    }
    #[on_save(1)]
    fn number(&self) -> u64 {
        0
    }
    #[on_save(version = "x")]
    fn text(&self) -> u64 {
        0
    }
    #[on_save(version = -1)]
    fn negative(&self) -> u64 {
        0
    }
    #[on_save(vershun = 1)]
    fn unknown(&self) -> u64 {
        0
    }
    #[on_save(version = 1, version = 2)]
    fn twice(&self) -> u64 {
        0
    }
    #[on_restore]
    fn bare_restore(&mut self, _ticks: u64) {}
    #[on_restore()]
    fn empty_restore(&mut self, _ticks: u64) {}
    #[on_restore = 1]
    fn equals_restore(&mut self, _ticks: u64) {}
    #[on_restore(version = 1.5)]
    fn half(&mut self, _ticks: u64) {}
}

fn main() {}
