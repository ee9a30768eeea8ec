//! Has a request of every kind.

use helix_conformance::contract::{Full, Geometry, Point, say, wait_at};
use helix_runtime::prelude::*;

/// Answers.
#[helix_module(provides = [Geometry, "shapes"])]
#[derive(Default)]
pub struct Server {
    size: u64,
}

#[helix_handlers]
impl Server {
    #[on_request]
    fn add(&mut self, a: u64, b: u64) -> u64 {
        self.size += 1;
        a + b
    }
    #[on_request]
    fn greet(&self, name: &str) -> String {
        format!("hello {name}")
    }
    #[on_request]
    fn fails(&self, why: String) -> Result<u64, ModuleError> {
        Err(why.into())
    }
    #[on_request]
    fn crash(&self, why: String) -> Result<u64, ModuleError> {
        panic!("{why}")
    }
    #[on_request]
    fn bytes(&self, len: u32) -> Vec<u8> {
        vec![0; len as usize]
    }
    #[on_request(permission = "tune")]
    fn tune(&self) -> u64 {
        42
    }
    #[on_request]
    fn hold(&mut self, ctx: &Context) -> Result<u64, ModuleError> {
        wait_at("gate", ctx)?;
        Ok(self.size)
    }
    /// Goes on until nobody waits for it. Whether anybody had set an end.
    #[on_request]
    fn search(&mut self, ctx: &Context) -> bool {
        let is_limited = ctx.time_left().is_some();
        say(ctx, "searches");
        while !ctx.is_cancelled() {
            std::thread::yield_now();
        }
        is_limited
    }
    #[on_request(raw)]
    fn echo(&self, request: &Request, ctx: &Context) -> Result<Response, ModuleError> {
        Ok(match request.payload.as_slice() {
            [] => Response::not_supported(),
            [0] => Response::rejected("zero"),
            [1] => Response::err("one"),
            payload => {
                say(ctx, format_args!("{:?} from {:?}", String::from_utf8_lossy(payload), request.source()));
                Response::ok([request.source().as_bytes(), payload].concat())
            }
        })
    }
}

impl Geometry for Server {
    fn mirror(&self, point: Point) -> Point {
        Point { x: point.y, y: point.x }
    }
    fn grow(&mut self, by: u64) -> Result<u64, Full> {
        if by > 10 {
            return Err(Full { room: 10 });
        }
        self.size += by;
        Ok(self.size)
    }
}
