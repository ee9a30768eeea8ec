// Every handler attribute outside a handlers block.
use helix_runtime::prelude::*;

#[helix_module]
#[derive(Default)]
pub struct Timer;

#[helix_handlers]
impl Timer {}

impl Timer {
    #[on_init]
    fn init(&mut self) {}
    #[on_start]
    fn start(&mut self) {}
    #[on_stop]
    fn stop(&mut self) {}
    #[on_health]
    fn health(&self) -> bool {
        true
    }
    #[on_event(Tick)]
    fn tick(&mut self) {}
    #[on_request("ticks")]
    fn ticks(&self) -> u64 {
        0
    }
    #[on_save(version = 1)]
    fn save(&self) -> u64 {
        0
    }
    #[on_restore(version = 1)]
    fn restore(&mut self, _ticks: u64) {}
}

fn main() {}
