//! How an event reaches its listeners: one by one, or later, when they are busy or have put it off.

use alloc::format;
use core::ptr::NonNull;
use core::sync::atomic::Ordering;

use crate::chain::Under;
use crate::context::{Context, Hold, Place};
use crate::descriptor::Status;
use crate::erase::guard;
use crate::error::ModuleError;
use crate::event::{Delivery, Event, EventType, ModuleCrashed, ModuleName, Publish, PublishResult, in_event};
use crate::runtime::inner::Inner;
use crate::runtime::instance::{Door, Entered, Instance};
use crate::runtime::patience::Patience;
use crate::runtime::registry::View;
use crate::runtime::slot::{Aside, Kept, Slot};
use crate::runtime::topics::{Heard, Listener};
use crate::runtime::word::{Access, Refused};
/// What became of the events that waited in a ring.
#[derive(Default)]
pub(super) struct Drained {
    pub(super) delivered: u32,
    /// Whoever they were kept for does not listen or run any more.
    pub(super) dropped: u32,
}

/// What became of one of them.
enum Redelivery {
    Delivered,
    /// Whoever it was kept for does not listen or run any more.
    Gone(Aside),
    /// Its module is still busy.
    Later,
}

/// One call of the dispatch on its way through the handlers of an event: what it stands on.
struct Walk<'a> {
    /// The link of the chain that each handler sees in turn; it lies on the stack of the walk.
    link: NonNull<Context>,
    under: &'a Under<'a>,
    view: &'a View,
    heard: Heard<'a>,
    delivery: &'a Delivery<'a>,
    patience: Patience,
}

impl Walk<'_> {
    fn cx(&self) -> &Context {
        // SAFETY: the link outlives the walk, and is only changed by `turn_to`, while nobody looks at it.
        unsafe { self.link.as_ref() }
    }

    /// The call that leads to this walk.
    fn up(&self) -> Option<&Context> {
        // SAFETY: the calls that led here outlive this one.
        self.cx().up_link().map(|up| unsafe { up.as_ref() })
    }

    fn door(&self, listener: &Listener) -> Door<'_> {
        Door { handler: Some(listener.entry), access: listener.access, under: self.under, depth: self.cx().depth() }
    }

    fn turn_to(&self, place: &Place, hold: Hold) {
        // SAFETY: between two handlers nobody looks at the link; the place lives while its handler is called, or is the
        // runtime's own.
        unsafe { (*self.link.as_ptr()).turn_to(place, hold) };
    }
}

impl Inner {
    /// Calls those of an event's handlers whose instance `reaches` picks, although the bus may be paused.
    pub(super) fn publish_to(
        &self,
        from: Option<&Context>,
        delivery: &Delivery<'_>,
        reaches: impl Fn(&Instance) -> bool,
        patience: Patience,
    ) -> PublishResult {
        self.publish_unless(|_| false, from, delivery, reaches, patience)
    }

    #[inline]
    pub(super) fn publish_unless(
        &self,
        is_paused: impl Fn(&View) -> bool,
        from: Option<&Context>,
        delivery: &Delivery<'_>,
        reaches: impl Fn(&Instance) -> bool,
        patience: Patience,
    ) -> PublishResult {
        let mut result = PublishResult::default();
        // SAFETY: `self` and the calls that led here outlive this one.
        let mut cx = unsafe { Context::new(&self.root, self, self.up(from)) };
        let too_deep = self.too_deep(&cx);
        let link = NonNull::from(&mut cx);
        let under = &self.calls.enter(link);
        let view = self.view(under);
        if is_paused(view) {
            result.paused = true;
            return result;
        }
        if let Some(error) = too_deep {
            result.fail(self.root.name, error.into());
            return result;
        }
        let heard = view.topics.heard(delivery);
        heard.published.fetch_add(1, Ordering::Relaxed);
        let walk = Walk { link, under, view, heard, delivery, patience };
        for (at, listener) in heard.listeners.iter().enumerate() {
            if heard.includes(listener, delivery) && reaches(listener.instance()) {
                self.deliver(&walk, at, listener, &mut result);
            }
        }
        result
    }

    /// Calls one handler, or its successor, or puts the event aside for it.
    #[inline(always)]
    fn deliver(&self, walk: &Walk<'_>, at: usize, listener: &Listener, result: &mut PublishResult) {
        let mut listener = *listener;
        loop {
            let instance = listener.instance();
            let door = walk.door(&listener);
            match self.enter(instance, &door, walk.up(), walk.patience) {
                Ok(entered) => {
                    let nth = || walk.heard.nth_of(at, walk.delivery);
                    self.hear(walk, &listener, entered, nth, result);
                    return self.release(walk, instance);
                }
                Err(Refused::NotRunning) => match self.successor(walk, at) {
                    Some(next) if next.instance != listener.instance => listener = next,
                    _ => return,
                },
                Err(_) => {
                    let nth = walk.heard.nth_of(at, walk.delivery);
                    return self.keep_for_busy(walk, instance, nth, result);
                }
            }
        }
    }

    /// Whom a listener was replaced by since the walk began: the same of the module's handlers of this event.
    #[cold]
    fn successor(&self, walk: &Walk<'_>, at: usize) -> Option<Listener> {
        let now = self.view(walk.under);
        if core::ptr::eq(now, walk.view) {
            return None;
        }
        let slot = walk.heard.listeners[at].instance().slot.id;
        let nth = walk.heard.nth_of(at, walk.delivery);
        now.topics.heard(walk.delivery).of_slot(slot, nth, walk.delivery).copied()
    }

    /// Calls one handler of a module that was entered.
    #[inline(always)]
    fn hear(
        &self,
        walk: &Walk<'_>,
        listener: &Listener,
        entered: Entered<'_>,
        nth: impl Fn() -> usize,
        result: &mut PublishResult,
    ) {
        let instance = listener.instance();
        walk.turn_to(&instance.place, Hold::Place(listener.access));
        let began = self.settings.statistics.then(|| self.clock());
        // SAFETY: the topics list a handler of this instance with its access, for deliveries that it hears.
        let status = unsafe { entered.event(listener.call, walk.delivery, walk.cx()) };
        if let Some(began) = began {
            self.count(instance, listener, status, began);
        }
        match status {
            Status::Handled => result.handled += 1,
            Status::Ignored => result.ignored += 1,
            _ => self.hear_of_trouble(walk, instance, entered, status, nth(), result),
        }
    }

    #[cold]
    fn hear_of_trouble(
        &self,
        walk: &Walk<'_>,
        instance: &Instance,
        entered: Entered<'_>,
        status: Status,
        nth: usize,
        result: &mut PublishResult,
    ) {
        match status {
            Status::Panicked => {
                let error = self.crashed(entered, instance, walk.cx());
                result.fail(instance.name(), error);
            }
            Status::Deferred => {
                drop(entered);
                if self.put_aside(&instance.slot.deferred, walk, instance, nth, result) {
                    result.deferred += 1;
                }
            }
            _ => {
                let error = walk.cx().take_fault();
                drop(entered);
                log::warn!(target: instance.name(), "event `{}`: {error}", walk.delivery.name);
                result.fail(instance.name(), error);
            }
        }
    }

    /// Delivers what was put aside for a module while it was busy, now that it is released.
    #[inline]
    fn release(&self, walk: &Walk<'_>, instance: &Instance) {
        if instance.slot.busy.len() > 0 {
            walk.turn_to(&self.root, Hold::Place(Access::Free));
            self.drain_at_release(&instance.slot);
        }
    }

    /// The same as [`Inner::drain_busy`]; what is dropped is told by the next `poll`.
    pub(super) fn drain_at_release(&self, slot: &Slot) {
        let dropped = self.drain_busy(slot).dropped;
        self.lost.fetch_add(dropped as usize, Ordering::Relaxed);
    }

    #[cold]
    fn keep_for_busy(&self, walk: &Walk<'_>, instance: &Instance, nth: usize, result: &mut PublishResult) {
        if self.put_aside(&instance.slot.busy, walk, instance, nth, result) {
            result.queued += 1;
        }
    }

    /// Keeps an event for one handler. Whether there was room.
    fn put_aside(
        &self,
        kept: &Kept,
        walk: &Walk<'_>,
        instance: &Instance,
        nth: usize,
        result: &mut PublishResult,
    ) -> bool {
        let event = match guard(|| Event::clone(walk.delivery.event())) {
            Ok(event) => event,
            Err(message) => {
                let error =
                    format!("event `{}` could not be kept: its `clone` panicked: {message}", walk.delivery.name);
                result.fail(instance.name(), error.into());
                return false;
            }
        };
        let kept = kept.push(Aside { event, nth });
        if kept.is_err() {
            result.dropped += 1;
            log::warn!(target: instance.name(), "event `{}` is dropped: there is no room to keep it", walk.delivery.name);
        }
        kept.is_ok()
    }

    /// Delivers what a module has missed because it was busy, and what comes of that, as deeply as calls may be nested.
    /// What is left then, and what finds it busy again, waits for its next release, or for `poll`.
    pub(super) fn drain_busy(&self, slot: &Slot) -> Drained {
        let mut drained = Drained::default();
        for _ in 0..self.settings.depth_limit {
            if slot.busy.len() == 0 || !self.drain(slot, &slot.busy, &mut drained) {
                break;
            }
        }
        drained
    }

    /// Delivers what waits in a queue now; what comes meanwhile waits for the next time. Whether all of it was entered.
    pub(super) fn drain(&self, slot: &Slot, kept: &Kept, drained: &mut Drained) -> bool {
        for _ in 0..kept.len() {
            match self.redeliver(slot, kept) {
                Redelivery::Delivered => drained.delivered += 1,
                Redelivery::Gone(aside) => {
                    drained.dropped += 1;
                    log::warn!(target: "helix", "event `{}` is dropped: it was kept for {}, which does not listen or run \
                        any more", aside.event.name(), slot.id);
                }
                Redelivery::Later => return false,
            }
        }
        true
    }

    /// Delivers the first event of a queue. It is taken out when its module has been entered, under the queue's lock: who
    /// runs alone is entered in the order in which the events came, however many calls empty the queue.
    fn redeliver(&self, slot: &Slot, kept: &Kept) -> Redelivery {
        // SAFETY: `self` and the calls that led here outlive this one.
        let mut cx = unsafe { Context::new(&self.root, self, self.up(None)) };
        if self.too_deep(&cx).is_some() {
            return Redelivery::Later;
        }
        let (up, depth) = (cx.up_link(), cx.depth());
        // SAFETY: the calls that led here outlive this one.
        let up = up.map(|up| unsafe { up.as_ref() });
        let link = NonNull::from(&mut cx);
        let under = &self.calls.enter(link);
        let view = self.view(under);
        let mut door = None;
        let taken = kept.pop_if(|aside| {
            let nth = aside.nth;
            let listener =
                aside.event.deliver(|delivery| view.topics.heard(delivery).of_slot(slot.id, nth, delivery).copied());
            let Some(listener) = listener else { return Some(None) };
            let instance = listener.instance();
            let door = &*door.insert(Door { handler: Some(listener.entry), access: listener.access, under, depth });
            // What was kept comes before those who wait, but not before a transition.
            let is_gated = instance.place.gated.load(Ordering::Relaxed);
            let is_inside = up.is_some_and(|up| up.holds(self.address(), &instance.place).is_some());
            match instance.enter(door, !is_gated || is_inside) {
                Ok(entered) => Some(Some((listener, entered))),
                // Unless it was replaced just now: the next round finds its successor.
                Err(Refused::NotRunning) if core::ptr::eq(self.view(under), view) => Some(None),
                Err(_) => None,
            }
        });
        match taken {
            None => Redelivery::Later,
            Some((aside, None)) => Redelivery::Gone(aside),
            Some((aside, Some((listener, entered)))) => {
                let mut result = PublishResult::default();
                aside.event.deliver(|delivery| {
                    let patience = Patience::of(core::time::Duration::ZERO);
                    let walk = Walk { link, under, view, heard: view.topics.heard(delivery), delivery, patience };
                    self.hear(&walk, &listener, entered, || aside.nth, &mut result);
                });
                // Put off once more, and no room for it.
                self.lost.fetch_add(result.dropped as usize, Ordering::Relaxed);
                Redelivery::Delivered
            }
        }
    }

    #[cold]
    fn count(&self, instance: &Instance, listener: &Listener, status: Status, began: core::time::Duration) {
        let Some(counters) = instance.counters.get(listener.hearing as usize) else { return };
        let time = self.clock().saturating_sub(began).as_nanos();
        counters.calls.fetch_add(1, Ordering::Relaxed);
        counters.time.fetch_add(time as usize, Ordering::Relaxed);
        if matches!(status, Status::Failed | Status::Panicked) {
            counters.failures.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// A handler has panicked: its module has failed, and the others hear of it.
    #[cold]
    pub(super) fn crashed(&self, entered: Entered<'_>, instance: &Instance, cx: &Context) -> ModuleError {
        let error = cx.take_fault();
        entered.crash();
        // While their owner does not run nobody enters its closures.
        for closure in self.closures_of(instance) {
            closure.word.close();
        }
        log::error!(target: instance.name(), "{error}");
        self.announce(Some(cx), |name| ModuleCrashed { name }, instance, Patience::ENDLESS);
        error
    }

    /// Publishes something about a module.
    pub(super) fn announce<E: EventType>(
        &self,
        from: Option<&Context>,
        event: impl Fn(ModuleName) -> E,
        about: &Instance,
        patience: Patience,
    ) {
        let name = in_event(about.name());
        let result = event(name).deliver(|delivery| self.publish_to(from, delivery, |_| true, patience));
        if !result.is_clean() {
            log::warn!(target: about.name(), "not everyone heard of it: {result:?}");
        }
    }
}
