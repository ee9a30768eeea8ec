//! Constants of one letter, as physicists write them.
#![allow(missing_docs, non_upper_case_globals, non_camel_case_types)]

use helix_runtime::prelude::*;
use helix_runtime::{Runtime, modules};

pub const c: f64 = 299_792_458.0;
pub const e: f64 = 1.602e-19;
pub const m: f64 = 9.109e-31;
pub static s: f64 = 1.0;
pub struct r;
pub const a0: f64 = 5.29e-11;
pub const value: f64 = 0.0;

#[helix_service("energy")]
pub trait Energy {
    fn joules(&self, mass: f64, ctx: &Context) -> f64;
}

#[helix_module(provides = [Energy])]
#[derive(Default)]
pub struct Physics {
    #[config(default = c)]
    light: f64,
}

#[helix_handlers]
impl Physics {
    #[on_init]
    fn init(&mut self, ctx: &Context) {
        assert_eq!(ctx.name(), "physics");
    }
    #[on_event(Tick)]
    fn tick(&mut self, _tick: &Tick, _ctx: &Context) {
        self.light += m * s * a0 * value;
    }
    #[on_request]
    fn charge(&self, of: u32) -> f64 {
        e * f64::from(of)
    }
    #[on_request(raw)]
    fn raw(&self, request: &Request) -> Result<Response, ModuleError> {
        let _ = r;
        Ok(Response::ok(request.payload.clone()))
    }
    #[on_save(version = 1)]
    fn save(&self) -> f64 {
        self.light
    }
    #[on_restore(version = 1)]
    fn restore(&mut self, light: f64) {
        self.light = light;
    }
}

impl Energy for Physics {
    fn joules(&self, mass: f64, _: &Context) -> f64 {
        mass * self.light * self.light
    }
}

#[test]
fn no_name_of_ours_meets_them() {
    let runtime = Runtime::builder().modules(modules![Physics]).build().unwrap();
    runtime.start().unwrap();
    assert_eq!(runtime.call::<(u32,), f64>("physics.charge", (2,)).unwrap(), e * 2.0);
    assert_eq!(runtime.service::<EnergyClient>().unwrap().joules(1.0).unwrap(), c * c);
}
