//! Asks at its start whether it may.

use helix_runtime::prelude::*;

/// Starts when it may.
#[helix_module]
#[derive(Default)]
pub struct Guarded;

#[helix_handlers]
impl Guarded {
    #[on_start]
    fn start(&self, ctx: &Context) -> Result<(), ModuleError> {
        match ctx.request("guard", Request::new("may_i"))? {
            Response::Success(_) => Ok(()),
            other => Err(format!("{other:?}").into()),
        }
    }
    #[on_request]
    fn collapse(&self) {
        panic!("collapsed");
    }
}
