//! Events that wait for a module: put aside while it is busy or puts them off, and delivered later.

use alloc::format;
use alloc::string::String;
use core::ptr::NonNull;
use core::sync::atomic::{Ordering, fence};

use crate::context::Context;
use crate::erase::guard;
use crate::event::{Event, Publish, PublishResult};
use crate::runtime::inner::Inner;
use crate::runtime::instance::Instance;
use crate::runtime::patience::Patience;
use crate::runtime::slot::{Aside, Kept, Slot};
use crate::runtime::walk::{Link, Trouble, Walk};
use crate::runtime::word::Refused;

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
    /// Whoever it was kept for does not listen or run any more; the event's name.
    Gone(String),
    /// Its module is still busy.
    Later,
}

impl Inner {
    /// Delivers what came for a module while its gate was closed, now that it is open.
    pub(super) fn drain_at_opening(&self, slot: &Slot) {
        fence(Ordering::SeqCst);
        self.drain_at_release(slot);
    }

    /// The same as [`Inner::drain_busy`]; what is dropped is told by the next `poll`.
    pub(super) fn drain_at_release(&self, slot: &Slot) {
        let dropped = self.drain_busy(slot).dropped;
        self.lost.fetch_add(dropped as usize, Ordering::Relaxed);
    }

    pub(super) fn keep_for_busy(&self, walk: &Walk<'_>, instance: &Instance, nth: usize, trouble: &mut Trouble) {
        if !self.put_aside(&instance.slot.busy, walk, instance, nth, trouble) {
            return;
        }
        trouble.get_or_insert_default().queued += 1;
        // Whoever opens a gate looks into the queue after that, and here the gate is looked at after the queue: one of the
        // two finds the event.
        fence(Ordering::SeqCst);
        if instance.is_lockless() && !instance.place.gated.load(Ordering::SeqCst) {
            self.drain_at_release(&instance.slot);
        }
    }

    /// Keeps an event for one handler. Whether there was room.
    pub(super) fn put_aside(
        &self,
        kept: &Kept,
        walk: &Walk<'_>,
        instance: &Instance,
        nth: usize,
        trouble: &mut Trouble,
    ) -> bool {
        let event = match guard(|| Event::clone(walk.delivery.event())) {
            Ok(event) => event,
            Err(message) => {
                let error =
                    format!("event `{}` could not be kept: its `clone` panicked: {message}", walk.delivery.kind.name);
                trouble.get_or_insert_default().fail(instance.name(), error.into());
                return false;
            }
        };
        let kept = kept.push(Aside { event, nth });
        if kept.is_err() {
            trouble.get_or_insert_default().dropped += 1;
            log::warn!(target: instance.name(), "event `{}` is dropped: there is no room to keep it", walk.delivery.kind.name);
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
                Redelivery::Gone(name) => {
                    drained.dropped += 1;
                    log::warn!(target: "helix", "event `{name}` is dropped: it was kept for {}, which does not listen or run \
                        any more", slot.id);
                }
                Redelivery::Later => return false,
            }
        }
        true
    }

    /// Delivers the first event of a queue. It is taken out when its module has been entered, under the queue's lock: who
    /// runs alone is entered in the order in which the events came, however many calls empty the queue.
    fn redeliver(&self, slot: &Slot, kept: &Kept) -> Redelivery {
        let here = self.calls.here(None);
        // SAFETY: `self` and the calls that led here outlive this one.
        let mut cx = unsafe { Context::new(&self.root, self, here.up()) };
        if self.too_deep(&cx).is_some() {
            return Redelivery::Later;
        }
        let (up, depth) = (cx.up_link(), cx.depth());
        // SAFETY: the calls that led here outlive this one.
        let up = up.map(|up| unsafe { up.as_ref() });
        let link = Link(NonNull::from(&mut cx));
        let (under, guard) = here.enter(link.0);
        let (keeps, mark) = (guard.keeps(), under.mark(depth));
        let view = self.view(keeps);
        let taken = kept.pop_if(|aside| {
            let nth = aside.nth;
            let listener = aside.event.deliver(|delivery| view.topics.heard(delivery).of_slot(slot.id, nth, delivery));
            let Some(listener) = listener else { return Some(None) };
            let instance = listener.instance();
            // What was kept comes before those who wait, but not before a transition.
            let is_gated = instance.place.gated.load(Ordering::Relaxed);
            let is_inside = up.is_some_and(|up| up.holds(self.address(), &instance.place).is_some());
            match listener.way.enter(mark, under.light(), !is_gated || is_inside) {
                Ok(entered) => Some(Some((listener, entered))),
                // Unless it was replaced just now: the next round finds its successor.
                Err(Refused::NotRunning) if core::ptr::eq(self.view(keeps), view) => Some(None),
                Err(_) => None,
            }
        });
        match taken {
            None => Redelivery::Later,
            Some((aside, None)) => Redelivery::Gone(aside.event.name().into()),
            Some((aside, Some((listener, entered)))) => {
                let mut trouble = None;
                aside.event.deliver(|delivery| {
                    let patience = Patience::of(core::time::Duration::ZERO);
                    let light = under.light();
                    let walk =
                        Walk { link, keeps, mark, light, view, group: view.topics.heard(delivery), delivery, patience };
                    drop(self.hear_all(&walk, listener, entered, || aside.nth, &mut trouble));
                });
                // Put off once more, and no room for it.
                let dropped = trouble.map_or(0, |trouble: PublishResult| trouble.dropped);
                self.lost.fetch_add(dropped as usize, Ordering::Relaxed);
                Redelivery::Delivered
            }
        }
    }
}
