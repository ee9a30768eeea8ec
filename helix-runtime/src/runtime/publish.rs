//! How an event reaches its listeners: one by one. What waits for one that is busy is in `redeliver.rs`.

use core::ptr::NonNull;

use crate::chain::{Light, Mark};
use crate::context::Context;
use crate::descriptor::Status;
use crate::event::{Delivery, PublishResult};
use crate::runtime::inner::Inner;
use crate::runtime::instance::Instance;
use crate::runtime::patience::Patience;
use crate::runtime::topics::{Group, Listener};
use crate::runtime::walk::{Link, Trouble, Walk};
use crate::runtime::way::Entered;
use crate::runtime::word::{Access, Refused};

#[cold]
pub(super) fn with_trouble(handled: u32, ignored: u32, trouble: Trouble) -> PublishResult {
    PublishResult { handled, ignored, ..trouble.unwrap_or_default() }
}

impl Inner {
    /// Calls those of an event's handlers whose instance `reaches` picks, although the bus may be paused.
    pub(super) fn publish_to(
        &self,
        from: Option<&Context>,
        delivery: &Delivery<'_>,
        reaches: &dyn Fn(&Instance) -> bool,
        patience: Patience,
    ) -> PublishResult {
        self.publish_unless(false, from, delivery, reaches, patience)
    }

    /// The same; nobody's if the bus is paused and `unless_paused` says so.
    #[inline(always)]
    pub(super) fn publish_unless(
        &self,
        unless_paused: bool,
        from: Option<&Context>,
        delivery: &Delivery<'_>,
        reaches: impl Fn(&Instance) -> bool,
        patience: Patience,
    ) -> PublishResult {
        let here = self.calls.here(from);
        // SAFETY: `self` and the calls that led here outlive this one.
        let mut cx = unsafe { Context::new(&self.root, self, here.up()) };
        cx.bound(patience);
        let depth = cx.depth();
        let link = Link(NonNull::from(&mut cx));
        let (under, guard) = here.enter(link.0);
        let view = self.view(guard.keeps());
        if depth >= self.settings.depth_limit {
            return self.too_deep_to_publish(link.cx(), view.paused && unless_paused);
        }
        let (mark, group) = (under.mark(depth), view.topics.heard(delivery));
        let walk = || {
            let (keeps, light) = (guard.keeps(), under.light());
            Walk { link, keeps, mark, light, view, group, delivery, patience }
        };
        let mut trouble = None;
        let (handled, ignored) = if group.is_plain {
            under.count(&group.published);
            self.deliver_plainly(walk, link, mark, group, delivery, &reaches, &mut trouble)
        } else if view.paused && unless_paused {
            return PublishResult { paused: true, ..PublishResult::default() };
        } else {
            under.count(view.topics.published(group, delivery));
            #[cfg(feature = "std")]
            if group.is_queued {
                return self.deliver_or_queue(&walk(), reaches);
            }
            self.deliver_to_all(&walk(), reaches, &mut trouble)
        };
        drop(guard);
        if trouble.is_some() {
            return with_trouble(handled, ignored, trouble);
        }
        PublishResult { handled, ignored, ..PublishResult::default() }
    }

    /// The walk where nothing is asked for but to call each: what it costs here is what a handler costs.
    #[inline(always)]
    #[expect(clippy::too_many_arguments, reason = "a walk in registers: it is made only where something goes amiss")]
    fn deliver_plainly<'a>(
        &'a self,
        walk: impl Fn() -> Walk<'a>,
        link: Link,
        mark: Mark<'a>,
        group: &'a Group,
        delivery: &'a Delivery<'a>,
        reaches: impl Fn(&Instance) -> bool,
        trouble: &mut Trouble,
    ) -> (u32, u32) {
        let (mut unhandled, mut ignored) = (0, 0);
        for listener in &group.listeners {
            if !reaches(listener.instance()) {
                unhandled += 1;
                continue;
            }
            let status = match listener.way.enter_as(Access::Free, mark, Light::FREE) {
                Ok(instance) => {
                    link.turn_freely_to(&instance.place);
                    let status = self.hear(link, delivery, listener, instance);
                    if status == Status::Handled {
                        continue;
                    }
                    if status != Status::Ignored {
                        let (entered, at) = (Entered::new(&listener.way, mark), group.index_of(listener));
                        self.hear_of_trouble(&walk(), entered, status, group.nth_of(at, delivery), trouble);
                    }
                    status
                }
                Err(refused) => {
                    let status = self.deliver_later(&walk(), group.index_of(listener), refused, trouble);
                    // Its successor may have a lock.
                    link.turn_to(&self.root, Access::Free);
                    status
                }
            };
            unhandled += u32::from(status != Status::Handled);
            ignored += u32::from(status == Status::Ignored);
        }
        mark.clear();
        (group.listeners.len() as u32 - unhandled, ignored)
    }

    /// The walk with all that a group may need.
    #[inline(never)]
    fn deliver_to_all(
        &self,
        walk: &Walk<'_>,
        reaches: impl Fn(&Instance) -> bool,
        trouble: &mut Trouble,
    ) -> (u32, u32) {
        let (mut handled, mut ignored) = (0, 0);
        for listener in &walk.group.listeners {
            if !walk.group.includes(listener, walk.delivery) || !reaches(listener.instance()) {
                continue;
            }
            let status = match listener.way.access {
                // Written out, so that each is made for its own.
                Access::Exclusive => self.deliver(Access::Exclusive, walk, listener, trouble),
                Access::Shared => self.deliver(Access::Shared, walk, listener, trouble),
                Access::Free => self.deliver(Access::Free, walk, listener, trouble),
            };
            if status == Status::Handled {
                handled += 1;
            } else if status == Status::Ignored {
                ignored += 1;
            }
        }
        (handled, ignored)
    }

    /// Calls one handler. `access` is its way's.
    #[inline(always)]
    pub(super) fn deliver(
        &self,
        access: Access,
        walk: &Walk<'_>,
        listener: &Listener,
        trouble: &mut Trouble,
    ) -> Status {
        let way = &listener.way;
        let instance = match way.enter_as(access, walk.mark, walk.light) {
            Ok(instance) => instance,
            Err(refused) => return self.deliver_later(walk, walk.group.index_of(listener), refused, trouble),
        };
        let entered = Entered::new(way, walk.mark);
        walk.link.turn_to(&instance.place, access);
        let status = self.hear_counted(walk, listener, instance);
        if status.is_usual() {
            self.leave(access, entered, walk.link, instance);
        } else {
            self.hear_of_trouble(walk, entered, status, walk.nth_of(walk.group.index_of(listener)), trouble);
            self.release(access, walk.link, instance);
        }
        status
    }

    #[cold]
    fn too_deep_to_publish(&self, cx: &Context, paused: bool) -> PublishResult {
        let mut result = PublishResult { paused, ..PublishResult::default() };
        if paused {
            return result;
        }
        if let Some(error) = self.too_deep(cx) {
            result.fail(self.root.name, error.into());
        }
        result
    }

    /// Calls one handler that could not be entered at once, or its successor, or puts the event aside for it. Tells what
    /// the handler said, or that it was not called.
    #[cold]
    pub(super) fn deliver_later<'a>(
        &'a self,
        walk: &Walk<'a>,
        at: usize,
        mut refused: Refused,
        trouble: &mut Trouble,
    ) -> Status {
        let mut listener = &walk.group.listeners[at];
        // The link has left where it was: what the event's `clone` may ask for meanwhile is not that module's.
        walk.link.turn_to(&self.root, Access::Free);
        loop {
            let entered = match refused {
                Refused::NotRunning => match self.successor(walk, at) {
                    Some(next) if !next.way.leads_to(listener.instance()) => {
                        listener = next;
                        self.enter(&listener.way, walk.mark, walk.up(), walk.patience)
                    }
                    _ => return Status::Deferred,
                },
                _ => self.wait(&listener.way, walk.mark, walk.up(), walk.patience),
            };
            match entered {
                Ok(entered) => return self.deliver_into(walk, listener, entered, at, trouble),
                Err(Refused::NotRunning) => refused = Refused::NotRunning,
                Err(_) => {
                    self.keep_for_busy(walk, listener.instance(), walk.nth_of(at), trouble);
                    return Status::Deferred;
                }
            }
        }
    }

    /// Calls one handler of a module that was entered, with all that comes of it and after it.
    fn deliver_into(
        &self,
        walk: &Walk<'_>,
        listener: &Listener,
        entered: Entered<'_>,
        at: usize,
        trouble: &mut Trouble,
    ) -> Status {
        let (status, entered) = self.hear_all(walk, listener, entered, || walk.nth_of(at), trouble);
        let (access, instance) = (listener.way.access, listener.instance());
        match entered {
            Some(entered) => self.leave(access, entered, walk.link, instance),
            None => self.release(access, walk.link, instance),
        }
        status
    }

    /// Calls one handler of a module that was entered, with all that may come of it, but does not leave where all is well.
    pub(super) fn hear_all<'a>(
        &self,
        walk: &Walk<'_>,
        listener: &Listener,
        entered: Entered<'a>,
        nth: impl FnOnce() -> usize,
        trouble: &mut Trouble,
    ) -> (Status, Option<Entered<'a>>) {
        walk.link.turn_to(&listener.instance().place, listener.way.access);
        let status = self.hear_counted(walk, listener, listener.instance());
        if status.is_usual() {
            return (status, Some(entered));
        }
        self.hear_of_trouble(walk, entered, status, nth(), trouble);
        (status, None)
    }

    /// Whom a listener was replaced by since the walk began: the same of the module's handlers of this event.
    pub(super) fn successor<'a>(&'a self, walk: &Walk<'a>, at: usize) -> Option<&'a Listener> {
        let now = self.view(walk.keeps);
        if core::ptr::eq(now, walk.view) {
            return None;
        }
        let slot = walk.group.listeners[at].instance().slot.id;
        now.topics.heard(walk.delivery).of_slot(slot, walk.nth_of(at), walk.delivery)
    }

    /// Calls one handler of a module that was entered and turned to, and counts that where statistics are kept.
    #[inline(always)]
    fn hear_counted(&self, walk: &Walk<'_>, listener: &Listener, instance: &Instance) -> Status {
        if !self.settings.statistics {
            return self.hear(walk.link, walk.delivery, listener, instance);
        }
        self.hear_and_count(walk, listener, instance)
    }

    #[inline(never)]
    fn hear_and_count(&self, walk: &Walk<'_>, listener: &Listener, instance: &Instance) -> Status {
        // The clock is user code, which may call the module that was entered. What `poll` was last told is no time.
        let clock = self.settings.clock.as_deref();
        let began = clock.map(|clock| clock.now());
        let status = self.hear(walk.link, walk.delivery, listener, instance);
        let time = clock.zip(began).map(|(clock, began)| clock.now().saturating_sub(began));
        if let Some(counters) = instance.counters.get(listener.hearing as usize) {
            counters.count(status, time);
        }
        status
    }

    /// Calls one handler of a module that was entered and turned to.
    #[inline(always)]
    fn hear(&self, link: Link, delivery: &Delivery<'_>, listener: &Listener, instance: &Instance) -> Status {
        // SAFETY: the topics list a handler of this instance with its access, for deliveries that it hears.
        unsafe { instance.event(listener.call, delivery, link.cx()) }
    }

    /// What to do about a handler that has neither handled nor ignored an event.
    #[cold]
    pub(super) fn hear_of_trouble(
        &self,
        walk: &Walk<'_>,
        entered: Entered<'_>,
        status: Status,
        nth: usize,
        trouble: &mut Trouble,
    ) {
        let instance = entered.instance();
        match status {
            Status::Panicked => {
                let error = self.crashed(entered, walk.link.cx());
                trouble.get_or_insert_default().fail(instance.name(), error);
            }
            Status::Deferred => {
                drop(entered);
                // As in `deliver_later`.
                walk.link.turn_to(&self.root, Access::Free);
                if self.put_aside(&instance.slot.deferred, walk, instance, nth, trouble) {
                    trouble.get_or_insert_default().deferred += 1;
                }
            }
            _ => {
                let error = walk.link.cx().take_fault();
                drop(entered);
                log::warn!(target: instance.name(), "event `{}`: {error}", walk.delivery.kind.name);
                trouble.get_or_insert_default().fail(instance.name(), error);
            }
        }
    }

    /// Leaves a module, and delivers what was put aside for it while it was busy.
    ///
    /// A module without a lock is busy for as long as its gate is closed; who opens that delivers what came meanwhile.
    #[inline(always)]
    pub(super) fn leave(&self, access: Access, entered: Entered<'_>, link: Link, instance: &Instance) {
        if access != Access::Free && instance.slot.busy.len() > 0 {
            return self.leave_and_drain(entered, link, instance);
        }
        entered.leave_as(access, instance);
        self.release(access, link, instance);
    }

    /// Whoever comes anew holds off meanwhile: else what is kept would wait for as long as somebody always comes.
    #[cold]
    fn leave_and_drain(&self, entered: Entered<'_>, link: Link, instance: &Instance) {
        let _held_off = instance.word.held_off();
        drop(entered);
        link.turn_to(&self.root, Access::Free);
        self.drain_at_release(&instance.slot);
    }

    /// Delivers what was put aside for a module in the last moment, now that it was left.
    #[inline(always)]
    pub(super) fn release(&self, access: Access, link: Link, instance: &Instance) {
        if access != Access::Free && instance.slot.busy.len() > 0 {
            self.release_slowly(link, instance);
        }
    }

    #[cold]
    fn release_slowly(&self, link: Link, instance: &Instance) {
        link.turn_to(&self.root, Access::Free);
        self.drain_at_release(&instance.slot);
    }
}
