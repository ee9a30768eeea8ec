//! Requests in bytes.

use helix_runtime::prelude::*;
use helix_runtime::{Runtime, modules};

#[helix_module]
#[derive(Default)]
pub struct Legacy {
    calls: u8,
}

#[helix_handlers]
impl Legacy {
    #[on_request("echo", raw)]
    fn answer(&mut self, request: &Request) -> Result<Response, ModuleError> {
        self.calls += 1;
        Ok(Response::ok(request.payload.clone()))
    }
    /// Answers with the module's name.
    #[on_request(raw, permission = "who")]
    fn who(&self, _: &Request, ctx: &Context) -> Result<Response, ModuleError> {
        Ok(Response::ok(ctx.name().as_bytes().to_vec()))
    }
}

#[test]
fn bytes_go_in_and_a_response_comes_out() {
    let runtime = Runtime::builder().modules(modules![Legacy]).build().unwrap();
    runtime.start().unwrap();
    let mut reply = [0; 8];
    assert_eq!(runtime.request_into("legacy.echo", &[1, 2, 3], &mut reply).unwrap(), 3);
    assert_eq!(reply[..3], [1, 2, 3]);
    assert_eq!(runtime.request_into("legacy.who", &[], &mut reply).unwrap(), 6);
    assert_eq!(&reply[..6], b"legacy");
}
