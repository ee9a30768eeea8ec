//! Events that stay: whoever comes later hears the last one of each name.

use alloc::sync::Arc;
use alloc::vec::Vec;

use crate::event::{Event, Publish, PublishResult};
use crate::host::Host;
use crate::lock::Lock;
use crate::runtime::Runtime;
use crate::runtime::inner::Inner;
use crate::runtime::instance::Instance;
use crate::runtime::patience::Patience;

/// The last event of each name that was published to stay.
#[derive(Default)]
pub(super) struct Sticky(Lock<Vec<Event>>);

impl Sticky {
    /// Keeps an event in the place of the one before it.
    fn keep(&self, event: Event) {
        let mut kept = self.0.lock();
        let before = match kept.iter_mut().find(|kept| kept.name() == event.name()) {
            Some(kept) => Some(core::mem::replace(kept, event)),
            None => {
                kept.push(event);
                None
            }
        };
        drop(kept);
        // Its drop is the user's.
        drop(before);
    }
}

impl Runtime {
    /// Publishes an event that stays: modules that start later, or are replaced, and closures that subscribe later, hear the
    /// last one of its name at once. Whoever comes at this very moment may hear it twice.
    ///
    /// ```
    /// use helix_runtime::{Event, EventResponse, EventSubscription, EventTopic, MemoryPressure, PressureLevel, Runtime};
    /// use std::sync::mpsc;
    ///
    /// let runtime = Runtime::builder().build()?;
    /// let _ = runtime.publish_sticky(&MemoryPressure { level: PressureLevel::Critical });
    /// let (tell, told) = mpsc::channel();
    /// let hear = Box::new(move |event: &Event| {
    ///     tell.send(event.name().to_string()).unwrap();
    ///     EventResponse::Handled
    /// });
    /// runtime.subscribe(EventSubscription::new("late", vec![EventTopic::MemoryPressure], hear))?;
    /// assert_eq!(told.try_recv()?, "memory-pressure");
    /// # Ok::<(), Box<dyn core::error::Error>>(())
    /// ```
    pub fn publish_sticky(&self, event: &impl Publish) -> PublishResult {
        event.deliver(|delivery| {
            self.inner.sticky.keep(delivery.event().clone());
            self.inner.publish(None, delivery)
        })
    }
}

impl Inner {
    /// Lets those who have just come hear what stays.
    pub(super) fn remind(&self, who: &[Arc<Instance>]) {
        let kept = self.sticky.0.lock().clone();
        for event in kept {
            let is_meant = |listener: &Instance| who.iter().any(|who| core::ptr::eq(&**who, listener));
            let heard = event.deliver(|delivery| self.publish_to(None, delivery, &is_meant, Patience::ENDLESS));
            if !heard.is_clean() {
                log::warn!(target: "helix", "`{}` was not heard by all who came later: {heard:?}", event.name());
            }
        }
    }

    /// The same for a module and its closures.
    pub(super) fn remind_module(&self, instance: &Instance) {
        if self.sticky.0.lock().is_empty() {
            return;
        }
        let mut who = self.closures_of(instance);
        who.extend(self.in_order().into_iter().find(|known| core::ptr::eq(&**known, instance)));
        self.remind(&who);
    }
}
