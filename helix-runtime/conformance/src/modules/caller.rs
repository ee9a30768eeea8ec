//! Asks others, and lacks a permission.

use helix_conformance::contract::{GeometryClient, Point};
use helix_runtime::prelude::*;

/// Asks the server.
#[helix_module(dependencies = ["server"])]
#[derive(Default)]
pub struct Caller {
    geometry: Option<GeometryClient>,
}

#[helix_handlers]
impl Caller {
    #[on_init]
    fn init(&mut self, ctx: &Context) -> Result<(), ModuleError> {
        self.geometry = Some(ctx.service()?);
        Ok(())
    }
    #[on_request]
    fn tune(&self, ctx: &Context) -> Result<u64, ModuleError> {
        Ok(ctx.call::<(), u64>("server.tune", ())?)
    }
    #[on_request]
    fn who(&self, ctx: &Context) -> Result<Vec<u8>, ModuleError> {
        match ctx.request("server", Request::new("echo").with_payload(b"!"))? {
            Response::Success(bytes) => Ok(bytes),
            other => Err(format!("{other:?}").into()),
        }
    }
    #[on_request]
    fn search(&self, ctx: &Context) -> Result<bool, ModuleError> {
        Ok(ctx.call::<(), bool>("server.search", ())?)
    }
    /// Asks again and again, until it is refused.
    #[on_request]
    fn persist(&self, ctx: &Context) -> Result<u64, ModuleError> {
        loop {
            ctx.call::<(u64, u64), u64>("server.add", (1, 1))?;
        }
    }
    #[on_request]
    fn mirror(&self, point: Point) -> Result<Point, ModuleError> {
        Ok(self.geometry.as_ref().ok_or("not initialized")?.mirror(point)?)
    }
}
