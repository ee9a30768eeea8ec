// A raw handler with other parameters, and with another reply.
use helix_runtime::prelude::*;

#[helix_module]
#[derive(Default)]
pub struct Timer;

#[helix_handlers]
impl Timer {
    #[on_request(raw)]
    fn nothing(&self) -> Result<Response, ModuleError> {
        Err(ModuleError::new("no"))
    }
    #[on_request(raw)]
    fn more(&self, _request: &Request, _more: u64) -> Result<Response, ModuleError> {
        Err(ModuleError::new("no"))
    }
    #[on_request(raw)]
    fn other(&self, _request: &str) -> Result<Response, ModuleError> {
        Err(ModuleError::new("no"))
    }
    #[on_request(raw)]
    fn reply(&self, _request: &Request) -> u64 {
        0
    }
}

fn main() {}
