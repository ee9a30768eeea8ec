//! Would like to have the patient, and can do without.

use helix_conformance::contract::say;
use helix_runtime::prelude::*;

/// Hears how the patient is.
#[helix_module(dependencies("patient" = { optional = true }))]
#[derive(Default)]
pub struct Friend;

#[helix_handlers]
impl Friend {
    #[on_stop]
    fn stop(&self, ctx: &Context) {
        say(ctx, "stop");
    }
    #[on_event(ModuleCrashed)]
    fn crashed(&self, crashed: &ModuleCrashed, ctx: &Context) {
        say(ctx, format_args!("hears that {} crashed", crashed.name));
    }
    #[on_event(ModuleUnloaded)]
    fn unloaded(&self, unloaded: &ModuleUnloaded, ctx: &Context) {
        say(ctx, format_args!("hears that {} went", unloaded.name));
    }
}
