//! Has the permission that another lacks.

use helix_runtime::prelude::*;

/// May tune.
#[helix_module(dependencies = ["server"], permissions = ["tune"])]
#[derive(Default)]
pub struct Tuner;

#[helix_handlers]
impl Tuner {
    #[on_request]
    fn tune(&self, ctx: &Context) -> Result<u64, ModuleError> {
        Ok(ctx.call::<(), u64>("server.tune", ())?)
    }
}
