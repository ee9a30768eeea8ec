//! Events by type: alone, several on one method, with and without the parameter and the context.

use helix_runtime::prelude::*;
use helix_runtime::{Runtime, modules};

#[helix_message]
#[derive(Debug, Clone, EventType)]
pub struct Knock {
    times: u64,
}

#[helix_module]
#[derive(Default)]
pub struct Listener {
    heard: Vec<String>,
}

#[helix_handlers]
impl Listener {
    #[on_event(Tick)]
    fn plain(&mut self, tick: &Tick) {
        self.heard.push(format!("plain {}", tick.tick_number));
    }
    #[on_event(Tick, priority = HIGH)]
    fn before(&mut self, &Tick { tick_number, .. }: &Tick, ctx: &Context) -> EventResponse {
        self.heard.push(format!("before {tick_number} in {}", ctx.name()));
        EventResponse::Handled
    }
    #[on_event(Tick, priority = -150)]
    #[on_event(Knock, priority = 20 + 1)]
    fn both(&mut self, ctx: &Context) -> Result<(), ModuleError> {
        self.heard.push(format!("both in {}", ctx.name()));
        Ok(())
    }
    #[on_event(Knock)]
    fn neither(&self) -> EventResponse {
        EventResponse::Ignored
    }
    #[on_event(Knock, priority = LOWEST)]
    fn refuses(&mut self, knock: &Knock) -> ModuleResult<()> {
        Err(ModuleError::new(format!("{} times", knock.times)))
    }
    #[on_event(Event)]
    fn everything(&mut self, event: &Event) {
        self.heard.push(format!("everything: {}", event.name()));
    }
    #[on_event(Process)]
    fn group(&mut self, event: &Event) {
        self.heard.push(format!("group: {}", event.name()));
    }
    #[on_request]
    fn take_heard(&mut self) -> Vec<String> {
        core::mem::take(&mut self.heard)
    }
}

#[test]
fn handlers_hear_what_they_name_in_order() {
    let runtime = Runtime::builder().modules(modules![Listener]).build().unwrap();
    runtime.start().unwrap();
    let heard = || runtime.call::<(), Vec<String>>("listener.take_heard", ()).unwrap();
    heard();

    assert_eq!(runtime.publish(&Tick { timestamp_ns: 0, tick_number: 7 }).handled, 4);
    assert_eq!(heard(), ["before 7 in listener", "plain 7", "everything: tick", "both in listener"]);

    let result = runtime.publish(&Knock { times: 3 });
    assert_eq!((result.handled, result.ignored, result.failed), (2, 1, 1));
    assert_eq!(result.first_error.unwrap().1.to_string(), "3 times");
    assert_eq!(heard(), ["both in listener", "everything: knock"]);
}
