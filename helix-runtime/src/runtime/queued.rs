//! Events for modules whose publishers do not wait: put into the module's queue, and delivered later in its turn.

use core::ptr::NonNull;
use core::sync::atomic::Ordering;

use crate::boundary::{Delivered, Put};
use crate::context::{Context, Hold};
use crate::descriptor::{EntryKind, Status};
use crate::error::ModuleError;
use crate::event::{Event, Publish, PublishResult};
use crate::host::Deliver;
use crate::runtime::inner::Inner;
use crate::runtime::instance::Instance;
use crate::runtime::lifecycle::LifecycleError;
use crate::runtime::patience::Patience;
use crate::runtime::publish::with_trouble;
use crate::runtime::slot::Aside;
use crate::runtime::topics::Listener;
use crate::runtime::walk::{Link, Trouble, Walk};
use crate::runtime::way::Way;
use crate::runtime::word::{Access, Refused};

impl Inner {
    /// The walk over a group in which events wait for some.
    #[inline(never)]
    pub(super) fn deliver_or_queue(&self, walk: &Walk<'_>, reaches: impl Fn(&Instance) -> bool) -> PublishResult {
        let (mut handled, mut ignored, mut trouble) = (0, 0, None);
        for listener in &walk.group.listeners {
            let instance = listener.instance();
            if !walk.group.includes(listener, walk.delivery) || !reaches(instance) {
                continue;
            }
            let status = match instance.descriptor.queues() {
                true => self.put_into_queue(walk, listener, &mut trouble),
                false => self.deliver(listener.way.access, walk, listener, &mut trouble),
            };
            handled += u32::from(status == Status::Handled);
            ignored += u32::from(status == Status::Ignored);
        }
        with_trouble(handled, ignored, trouble)
    }

    fn put_into_queue(&self, walk: &Walk<'_>, listener: &Listener, trouble: &mut Trouble) -> Status {
        // What its `Serialize` may ask for is no module's.
        walk.link.turn_to(&self.root, Access::Free);
        let at = walk.group.index_of(listener);
        let mut listener = listener;
        loop {
            let instance = listener.instance();
            match put_to(walk, listener) {
                Put::Waits => trouble.get_or_insert_default().queued += 1,
                Put::Full => trouble.get_or_insert_default().dropped += 1,
                Put::Refused => {
                    let error = alloc::format!("event `{}` could not be encoded", walk.delivery.kind.name);
                    trouble.get_or_insert_default().fail(instance.name(), error.into());
                }
                Put::Shut => match self.successor(walk, at).filter(|next| !next.way.leads_to(instance)) {
                    Some(next) if next.instance().queue().is_some() => {
                        listener = next;
                        continue;
                    }
                    Some(_) => return self.deliver_later(walk, at, Refused::NotRunning, trouble),
                    // Another one with other handlers is about to take its place, or has not.
                    None if instance.is_running() => {
                        match self.wait(&listener.way, walk.mark, walk.up(), walk.patience) {
                            Ok(entered) => drop(entered),
                            Err(Refused::NotRunning) => {}
                            Err(refused) => return self.deliver_later(walk, at, refused, trouble),
                        }
                        // In a moment it is known what becomes of it.
                        std::thread::yield_now();
                        continue;
                    }
                    None => {}
                },
            }
            return Status::Deferred;
        }
    }

    /// Runs with a module entered, as whoever calls it in its turn, and does what comes of the events that were delivered.
    pub(super) fn run_in_turn(&self, instance: usize, run: Deliver<'_>) -> bool {
        let found = self.in_order().into_iter().find(|known| known.address() == instance);
        let Some(instance) = found else { return false };
        let access = instance.access_of_events();
        let here = self.calls.here(None);
        // SAFETY: `self` and the calls that led here outlive this one.
        let mut cx = unsafe { Context::new(&self.root, self, here.up()) };
        let (up, depth) = (cx.up_link(), cx.depth());
        // SAFETY: the calls that led here outlive this one.
        let up = up.map(|up| unsafe { up.as_ref() });
        let link = Link(NonNull::from(&mut cx));
        let (under, guard) = here.enter(link.0);
        let (mark, way) = (under.mark(depth), Way::to(&instance, None, access));
        let Ok(entered) = self.enter(&way, mark, up, Patience::ENDLESS) else { return false };
        link.turn_to(&instance.place, access);
        match run(link.cx()) {
            Ok(delivered) => {
                self.leave(access, entered, link, &instance);
                link.turn_to(&self.root, Access::Free);
                drop(guard);
                self.note_delivered(&instance, delivered);
            }
            Err(error @ (ModuleError::Crashed { .. } | ModuleError::Panicked { .. })) => {
                link.cx().fail_here(error);
                self.crashed(entered, link.cx());
            }
            Err(error) => {
                drop(entered);
                log::warn!(target: instance.name(), "the events that waited for it: {error}");
            }
        }
        true
    }

    /// Delivers what waits for a module that a transition has to itself: it overtakes nothing that was published before.
    pub(super) fn flush(&self, instance: &Instance) -> Result<(), LifecycleError> {
        if instance.queue().is_none_or(|queue| queue.len() == 0) {
            return Ok(());
        }
        let flushed = self.on_behalf(instance, Hold::Gated, |cx| instance.flush(cx));
        let flushed = flushed.map_err(|error| LifecycleError::new(instance.name(), "events that wait", error))?;
        self.note_delivered(instance, flushed);
        Ok(())
    }

    /// Counts what was delivered, tells what went wrong, and puts aside what is to be delivered again.
    fn note_delivered(&self, instance: &Instance, delivered: Delivered) {
        for (entry, [handled, ignored, failed]) in delivered.counts {
            let hearing = instance.hearing_of(usize::from(entry));
            if let Some(counters) = hearing.and_then(|hearing| instance.counters.get(hearing)) {
                let calls = [handled, ignored, failed].into_iter().map(|count| count as usize).sum();
                counters.calls.fetch_add(calls, Ordering::Relaxed);
                counters.failures.fetch_add(failed as usize, Ordering::Relaxed);
            }
        }
        for (_, error) in delivered.failures {
            log::warn!(target: instance.name(), "{error}");
        }
        for (entry, event) in delivered.deferred {
            let Some(nth) = self.nth_listener(instance, usize::from(entry), &event) else { continue };
            let name = alloc::string::String::from(event.name());
            if instance.slot.deferred.push(Aside { event, nth }).is_err() {
                self.lost.fetch_add(1, Ordering::Relaxed);
                log::warn!(target: instance.name(), "event `{name}` is dropped: there is no room to keep it");
            }
        }
    }

    /// Of an instance's listeners that hear an event, which one is the handler at that place of the table.
    fn nth_listener(&self, instance: &Instance, entry: usize, event: &Event) -> Option<usize> {
        let hearing = instance.hearing_of(entry)?;
        self.with_view(|view| {
            event.deliver(|delivery| {
                let group = view.topics.heard(delivery);
                (0..)
                    .map_while(|nth| group.of_slot(instance.slot.id, nth, delivery))
                    .position(|listener| listener.hearing as usize == hearing)
            })
        })
    }
}

/// Puts an event into the queue of a listener's module, if that runs, is to run again, or somebody takes its queue over.
fn put_to(walk: &Walk<'_>, listener: &Listener) -> Put {
    let instance = listener.instance();
    let is_open = || if instance.is_running() { !instance.is_parting() } else { instance.is_awaited() };
    match (instance.queue(), instance.entry_of(listener.hearing as usize)) {
        (Some(queue), Some(entry)) => queue.put(entry, walk.delivery, &is_open),
        _ => Put::Shut,
    }
}

impl Instance {
    /// Delivers nothing before `inherit_queue`.
    pub(super) fn hold_queue(&self) {
        if let Some(queue) = self.queue() {
            queue.hold();
        }
    }

    /// Another one takes its place: what waits is for that one, if it has the same handlers.
    pub(super) fn part_for(&self, new: &Self) {
        let queues = self.queue().zip(new.queue());
        self.part(!queues.is_some_and(|(own, next)| next.is_like(own)));
    }

    /// Takes over the events that wait for the instance that it follows, which has ended. Those who publish find this one by now.
    pub(super) fn inherit_queue(&self, from: &Self) {
        match (self.queue(), from.queue()) {
            (Some(queue), Some(before)) => queue.inherit(before),
            (Some(queue), None) => queue.release(),
            _ => {}
        }
    }

    /// How whoever delivers events to it shares it.
    fn access_of_events(&self) -> Access {
        self.access(self.hearings().any(|hearing| hearing.access == Access::Exclusive))
    }

    /// The place in the table of the nth thing that it listens to.
    fn entry_of(&self, hearing: usize) -> Option<usize> {
        let is_event = |entry: &&'static crate::descriptor::Entry| matches!(entry.kind, EntryKind::Event { .. });
        let mut events = self.entries.iter().enumerate().filter(|(_, entry)| is_event(entry));
        events.nth(hearing).map(|(at, _)| at)
    }

    /// Which of the things that it listens to stands at that place of the table.
    fn hearing_of(&self, entry: usize) -> Option<usize> {
        (0..self.entries.len()).map_while(|hearing| self.entry_of(hearing)).position(|at| at == entry)
    }
}
