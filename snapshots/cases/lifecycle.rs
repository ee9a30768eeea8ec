//! Every step of the lifecycle.

use core::sync::atomic::{AtomicU32, Ordering};

use helix_runtime::prelude::*;
use helix_runtime::{Runtime, modules};

static STEPS: AtomicU32 = AtomicU32::new(0);

fn step(number: u32) {
    STEPS.store(STEPS.load(Ordering::SeqCst) * 10 + number, Ordering::SeqCst);
}

#[helix_module]
#[derive(Default)]
pub struct Service {
    well: bool,
}

#[helix_handlers]
impl Service {
    #[on_init]
    fn init(&mut self, ctx: &Context) -> Result<(), ModuleError> {
        step(if ctx.name() == "service" { 1 } else { 9 });
        Ok(())
    }
    #[on_start]
    fn start(&mut self) {
        step(2);
        self.well = true;
    }
    #[on_health]
    fn is_well(&self) -> bool {
        step(3);
        self.well
    }
    #[on_stop]
    fn stop(&self, _ctx: &Context) -> ModuleResult<()> {
        step(4);
        Err("it stops all the same".into())
    }
}

#[helix_module]
#[derive(Default)]
pub struct OtherReceivers;

#[helix_handlers]
impl OtherReceivers {
    #[on_start]
    fn start(self: &mut Self) {}
    #[on_health]
    fn healthy(&mut self, ctx: &Context) -> bool {
        ctx.name() == "other-receivers"
    }
    #[on_stop]
    fn stop(self: &Self) {}
}

#[test]
fn steps_run_in_their_order() {
    let runtime = Runtime::builder().modules(modules![Service, OtherReceivers]).build().unwrap();
    runtime.start().unwrap();
    assert!(runtime.health().iter().all(|module| module.healthy));
    assert!(runtime.stop().is_err());
    assert_eq!(STEPS.load(Ordering::SeqCst), 1234);
}
