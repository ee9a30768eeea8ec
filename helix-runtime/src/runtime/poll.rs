//! The runtime's only own activity: what was raised, kept, put off, queued, failed or replaced is seen to here.

use alloc::boxed::Box;
use alloc::vec::Vec;
use core::sync::atomic::Ordering;
use core::time::Duration;

use crate::channel::Consumer;
use crate::erase::guard;
use crate::error::ModuleError;
use crate::event::{Publish, PublishResult};
use crate::host::Host;
use crate::irq::{self, IrqLine};
use crate::runtime::Runtime;
use crate::runtime::inner::{Inner, Postponed};
use crate::runtime::lifecycle::{LifecycleError, Transition};

/// What time it is: monotonic, since any moment.
pub trait Clock: Send + Sync {
    /// The time since that moment.
    fn now(&self) -> Duration;
}

impl<F: Fn() -> Duration + Send + Sync> Clock for F {
    fn now(&self) -> Duration {
        self()
    }
}

/// The system's monotonic clock, since the first time that it was asked.
#[cfg(feature = "std")]
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

#[cfg(feature = "std")]
impl Clock for SystemClock {
    fn now(&self) -> Duration {
        static START: std::sync::OnceLock<std::time::Instant> = std::sync::OnceLock::new();
        START.get_or_init(std::time::Instant::now).elapsed()
    }
}

/// What one [`Runtime::poll`] found to do.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Polled {
    /// How often interrupt lines were raised.
    pub raised: u32,
    /// How many payloads of interrupts were published.
    pub payloads: u32,
    /// How many payloads were lost, because their ring was full.
    pub overflowed: u32,
    /// How many events were delivered that a busy module had missed or a handler had put off.
    pub redelivered: u32,
    /// How many such events were given up, because whoever they were kept for does not listen or run any more.
    pub dropped: u32,
    /// How many kept events were given up since the last poll, apart from those: whom they were kept for
    /// did not run when its module was released, or put one off again while there was no room.
    pub lost: u32,
    /// How many messages were taken from mailboxes and answered.
    pub messages: u32,
    /// How many messages were too late.
    pub expired: u32,
    /// How many transitions were done that had been postponed.
    pub transitions: u32,
    /// How many modules were started again.
    pub restarted: u32,
    /// How many tables wait to be freed, because a call that began before they were replaced has not ended.
    pub retired: usize,
}

/// Where events come from that an interrupt has raised.
pub(super) trait Source: Send {
    /// Whether there is something to publish.
    fn is_pending(&self) -> bool;
    fn pump(&mut self, now: Duration, inner: &Inner, polled: &mut Polled);
}

/// What `poll` is told, and what it looks at first.
pub(super) struct Pump {
    /// The time that it was last told.
    pub(super) now: Duration,
    pub(super) sources: Vec<Box<dyn Source>>,
}

pub(super) struct Line<F> {
    pub(super) line: &'static IrqLine,
    pub(super) event: F,
}

impl<P: Publish, F: FnMut(u32, Duration) -> P + Send> Source for Line<F> {
    fn is_pending(&self) -> bool {
        self.line.is_raised()
    }

    fn pump(&mut self, now: Duration, inner: &Inner, polled: &mut Polled) {
        let count = self.line.take();
        if count > 0 {
            polled.raised += count;
            let event = (self.event)(count, now);
            report(event.deliver(|delivery| inner.publish(None, delivery)));
        }
    }
}

pub(super) struct Payloads<T, F> {
    pub(super) payloads: Consumer<T>,
    pub(super) event: F,
}

impl<T: Send, P: Publish, F: FnMut(T, Duration) -> P + Send> Source for Payloads<T, F> {
    fn is_pending(&self) -> bool {
        !self.payloads.is_empty() || self.payloads.overflowed() > 0
    }

    fn pump(&mut self, now: Duration, inner: &Inner, polled: &mut Polled) {
        let overflowed = self.payloads.take_overflowed();
        if overflowed > 0 {
            polled.overflowed += overflowed;
            log::warn!(target: "helix", "{overflowed} payloads of an interrupt are lost: its ring was full");
        }
        for payload in self.payloads.drain() {
            polled.payloads += 1;
            let event = (self.event)(payload, now);
            report(event.deliver(|delivery| inner.publish(None, delivery)));
        }
    }
}

fn report(result: PublishResult) {
    if !result.is_clean() {
        log::warn!(target: "helix", "an interrupt was not heard by all: {result:?}");
    }
}

impl Runtime {
    /// Does what waits to be done, and returns: publishes what interrupts have raised, delivers what was kept for busy
    /// modules or put off, answers queued messages and tells the senders of those that are too late, does what was asked
    /// for from inside a module, asks for health, starts again what failed, and frees what was replaced.
    ///
    /// `now` is the time since any moment, the same for all calls. A kernel calls this in its idle loop, a program on a
    /// thread. Called while it runs already, it does nothing.
    pub fn poll(&self, now: Duration) -> Polled {
        self.inner.poll(now)
    }

    /// Whether [`Runtime::poll`] would find something to do at once. What is due at a later time does not count.
    ///
    /// A kernel asks with interrupts disabled, and enables them in the act of waiting; see [`irq`](crate::irq).
    pub fn has_work(&self) -> bool {
        self.inner.has_work()
    }
}

/// Ends a poll.
struct Polling<'a>(&'a Inner);

impl Drop for Polling<'_> {
    fn drop(&mut self) {
        self.0.polling.store(false, Ordering::Release);
    }
}

impl Inner {
    fn poll(&self, now: Duration) -> Polled {
        irq::assert_task_level("`poll`");
        let mut polled = Polled::default();
        if self.polling.swap(true, Ordering::Acquire) {
            return polled;
        }
        let _polling = Polling(self);
        self.pump(now, &mut polled);
        // A look that allocates nothing: an idle loop comes by here all the time.
        let slots = if self.registry().has_waiting() { self.slots() } else { Vec::new() };
        for slot in &slots {
            let mut drained = self.drain_busy(slot);
            self.drain(slot, &slot.deferred, &mut drained);
            // What came of that.
            let again = self.drain_busy(slot);
            polled.redelivered += drained.delivered + again.delivered;
            polled.dropped += drained.dropped + again.dropped;
        }
        let clock = self.clock();
        for slot in &slots {
            polled.expired += self.expire_messages(slot, clock);
            polled.messages += self.process_messages(slot, usize::MAX);
        }
        self.do_postponed(&mut polled);
        self.poll_health(now);
        polled.restarted = self.supervise(now);
        polled.lost = self.lost.swap(0, Ordering::Relaxed) as u32;
        polled.retired = self.reclaim();
        polled
    }

    /// The closures that make events are the user's, so the list is taken out of its lock meanwhile.
    fn pump(&self, now: Duration, polled: &mut Polled) {
        let mut pump = self.pump.lock();
        pump.now = now;
        let mut sources = core::mem::take(&mut pump.sources);
        drop(pump);
        for source in &mut sources {
            if let Err(message) = guard(|| source.pump(now, self, polled)) {
                log::error!(target: "helix", "what an interrupt has raised is lost: its closure panicked: {message}");
            }
        }
        self.pump.lock().sources = sources;
    }

    fn do_postponed(&self, polled: &mut Polled) {
        let waiting = self.postponed.lock().len();
        for _ in 0..waiting {
            let Some(postponed) = self.postponed.lock().pop_front() else { return };
            let done = match &postponed {
                Postponed::Replace(id, descriptor) => self.replace(*id, descriptor),
                Postponed::Remove(id) => self.remove(*id),
            };
            match done {
                Ok(Transition::Done) => polled.transitions += 1,
                Ok(Transition::Postponed) => {}
                Err(LifecycleError { error: ModuleError::Moving { .. }, .. }) => {
                    self.postponed.lock().push_back(postponed);
                }
                Err(error) => log::error!(target: "helix", "postponed: {error}"),
            }
        }
    }

    fn has_work(&self) -> bool {
        self.pump.lock().sources.iter().any(|source| source.is_pending())
            || !self.postponed.lock().is_empty()
            || self.registry().has_waiting()
    }
}
