// Lifecycle and health handlers that return the wrong thing.
use helix_runtime::prelude::*;

#[helix_module]
#[derive(Default)]
pub struct Timer;

#[helix_handlers]
impl Timer {
    #[on_init]
    fn init(&mut self) -> u64 {
        0
    }
    #[on_start]
    fn start(&mut self) -> Result<(), String> {
        Ok(())
    }
    #[on_health]
    fn health(&self) -> Result<(), ModuleError> {
        Ok(())
    }
}

fn main() {}
