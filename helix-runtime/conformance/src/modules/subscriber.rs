//! Listens by a closure, which is its own.

use helix_conformance::contract::{line, wait_at};
use helix_runtime::prelude::*;
use helix_runtime::{EventSubscription, EventTopic, SubscriptionId};

/// Subscribes while it is initialized.
#[helix_module(flags = HOT_RELOADABLE, stateless)]
#[derive(Default)]
pub struct Subscriber {
    subscription: Option<SubscriptionId>,
}

#[helix_handlers]
impl Subscriber {
    #[on_init]
    fn init(&mut self, ctx: &Context) -> Result<(), ModuleError> {
        let handle = ctx.handle();
        let handler = move |_: &Event| match handle.publish(&line("subscriber", "its closure hears")) {
            Ok(_) => EventResponse::Handled,
            Err(error) => EventResponse::Error(error.into()),
        };
        let subscription = EventSubscription::new("subscriber", vec![EventTopic::Tick], Box::new(handler));
        self.subscription = Some(ctx.subscribe(subscription)?);
        Ok(())
    }
    #[on_request]
    fn hold(&mut self, ctx: &Context) -> Result<(), ModuleError> {
        wait_at("gate", ctx)
    }
    #[on_request]
    fn crash(&mut self) {
        panic!("as told");
    }
    #[on_event(Shutdown)]
    fn shutdown(&mut self, ctx: &Context) -> Result<(), ModuleError> {
        let subscription = self.subscription.take().ok_or("not subscribed")?;
        Ok(ctx.unsubscribe(subscription)?)
    }
}
