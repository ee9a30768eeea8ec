//! What a `Runtime` and its handles share, and how what is replaced is freed.

use alloc::boxed::Box;
use alloc::collections::VecDeque;
use alloc::string::String;
use alloc::sync::{Arc, Weak};
use alloc::vec::Vec;
use core::mem::ManuallyDrop;
use core::ptr::NonNull;
use core::sync::atomic::{AtomicBool, AtomicPtr, AtomicUsize, Ordering};
use core::time::Duration;

use crate::chain::{self, Calls, Keeps};
use crate::config::Config;
use crate::context::Context;
use crate::descriptor::Descriptor;
use crate::lock::{Lock, Locked};
use crate::place::{ModuleId, Place};
use crate::runtime::instance::Instance;
use crate::runtime::poll::{Clock, Pump, Source};
use crate::runtime::registry::{OldView, Registry, Retired, View};
use crate::runtime::slot::Slot;
use crate::runtime::sticky::Sticky;
use crate::runtime::supervise::Supervision;
use crate::runtime::{Missing, Replacement, SavedState};

pub(crate) struct Inner {
    registry: Lock<Registry>,
    view: AtomicPtr<View>,
    retired: Lock<Vec<Retired>>,
    pub(super) calls: Calls,
    /// Where calls come from that no module makes.
    pub(super) root: Place,
    pub(super) config: Box<dyn Config>,
    pub(super) settings: Settings,
    /// What modules are to take back when they start.
    pub(super) states: Lock<Vec<SavedState>>,
    /// Whether `start` was called, and `stop` not since.
    pub(super) started: Lock<bool>,
    /// Which transition is under way.
    pub(super) moving: Lock<Option<UnderWay>>,
    /// The modules that a replacement has started and not shown to anybody yet, each with the one that it follows.
    pub(super) followers: Lock<Vec<Follower>>,
    /// Transitions that were asked for from inside what they concern.
    pub(super) postponed: Lock<VecDeque<Postponed>>,
    pub(super) pump: Lock<Pump>,
    pub(super) polling: AtomicBool,
    pub(super) last_health: Lock<Option<Duration>>,
    pub(super) next_message: AtomicUsize,
    /// How many kept events were dropped since the last `poll`.
    pub(super) lost: AtomicUsize,
    pub(super) sticky: Sticky,
    /// How the last replacement went.
    pub(super) replacement: Lock<Option<Replacement>>,
    pub(super) this: Weak<Inner>,
}

/// A transition, and the thread that it is on.
pub(super) struct UnderWay {
    pub(super) what: String,
    #[cfg(feature = "std")]
    thread: usize,
}

impl UnderWay {
    pub(super) fn new(what: String) -> Self {
        Self {
            what,
            #[cfg(feature = "std")]
            thread: chain::this_thread(),
        }
    }

    /// Whether it is this very thread's. Without `std` threads are not told apart.
    pub(super) fn is_own(&self) -> bool {
        #[cfg(feature = "std")]
        return self.thread == chain::this_thread();
        #[cfg(not(feature = "std"))]
        true
    }
}

/// An instance that follows another one.
pub(super) struct Follower {
    pub(super) old: Arc<Instance>,
    pub(super) new: Arc<Instance>,
}

/// A transition that waits for `poll`.
pub(super) enum Postponed {
    Replace(ModuleId, &'static Descriptor),
    Remove(ModuleId),
}

/// What a builder settles.
pub(super) struct Settings {
    pub(super) depth_limit: u32,
    pub(super) clock: Option<Box<dyn Clock>>,
    pub(super) statistics: bool,
    pub(super) ring: usize,
    pub(super) mailbox: usize,
    pub(super) drain_timeout: Duration,
    pub(super) supervision: Supervision,
    pub(super) data_dir: Option<String>,
    pub(super) on_missing: Option<OnMissing>,
    pub(super) on_saved: Option<OnSaved>,
}

/// Told of a name that nobody has.
pub(super) type OnMissing = Box<dyn Fn(&str) -> Missing + Send + Sync>;
/// Given the state of a module that stops.
pub(super) type OnSaved = Box<dyn Fn(SavedState) + Send + Sync>;

impl Default for Settings {
    fn default() -> Self {
        Self {
            depth_limit: 32,
            clock: None,
            statistics: false,
            ring: 32,
            mailbox: 64,
            drain_timeout: Duration::from_secs(5),
            supervision: Supervision::default(),
            data_dir: None,
            on_missing: None,
            on_saved: None,
        }
    }
}

impl Inner {
    pub(super) fn new(
        mut registry: Registry,
        config: Box<dyn Config>,
        states: Vec<SavedState>,
        settings: Settings,
        sources: Vec<Box<dyn Source>>,
    ) -> Arc<Self> {
        let view = Box::into_raw(Box::new(registry.view(&settings)));
        Arc::new_cyclic(|this: &Weak<Self>| Self {
            registry: Lock::new(registry),
            view: AtomicPtr::new(view),
            retired: Lock::new(Vec::new()),
            calls: Calls::new(),
            root: Place::new(ModuleId(u32::MAX), "helix"),
            config,
            settings,
            states: Lock::new(states),
            started: Lock::new(false),
            moving: Lock::new(None),
            followers: Lock::new(Vec::new()),
            postponed: Lock::new(VecDeque::new()),
            pump: Lock::new(Pump { sources, now: Duration::ZERO }),
            polling: AtomicBool::new(false),
            last_health: Lock::new(None),
            next_message: AtomicUsize::new(1),
            lost: AtomicUsize::new(0),
            sticky: Sticky::default(),
            replacement: Lock::new(None),
            this: this.clone(),
        })
    }

    pub(super) fn address(&self) -> *const () {
        core::ptr::from_ref(self).cast()
    }

    pub(super) fn registry(&self) -> Locked<'_, Registry> {
        self.registry.lock()
    }

    /// What calls walk, as it is now. It stays while the call is under way.
    #[inline]
    pub(super) fn view<'a>(&'a self, _: Keeps<'a>) -> &'a View {
        // Without `std` a call is counted by an atomic alone: only if that, this load and those of the writer are in one
        // order does one of the two see the other. With `std` the record's barrier says more than this does.
        //
        // SAFETY: `install` frees a view only after every call has ended that was under way when it was exchanged, and
        // this call was under way before the pointer was read.
        unsafe { &*self.view.load(Ordering::SeqCst) }
    }

    /// The modules in the order in which they start. Like those below, a copy that needs no lock.
    pub(super) fn in_order(&self) -> Vec<Arc<Instance>> {
        self.registry().in_order()
    }

    pub(super) fn closures_of(&self, owner: &Instance) -> Vec<Arc<Instance>> {
        self.registry().closures_of(owner)
    }

    pub(super) fn slots(&self) -> Vec<Arc<Slot>> {
        self.registry().slots()
    }

    /// Exchanges the view for one of the registry as it is now. `gone` was taken out of it; it is freed later.
    pub(super) fn install(&self, mut registry: Locked<'_, Registry>, gone: Vec<Arc<Instance>>) {
        let view = Box::into_raw(Box::new(registry.view(&self.settings)));
        // Others may still read what goes, so nothing of it is dropped if the barrier panics.
        let gone = ManuallyDrop::new(gone);
        let old = self.view.swap(view, Ordering::SeqCst);
        drop(registry);
        let grace = self.calls.grace();
        // SAFETY: `old` came from `Box::into_raw` here or in `new`, and was exchanged by this call alone. It goes when the
        // calls that may read it have ended.
        let old = unsafe { OldView::new(NonNull::new_unchecked(old)) };
        let retired = Retired { _view: old, _instances: ManuallyDrop::into_inner(gone), grace };
        self.retired.lock().push(retired);
        self.reclaim();
    }

    /// Frees what nobody can read any more. Tells how much is left.
    pub(super) fn reclaim(&self) -> usize {
        let mut retired = self.retired.lock();
        let over: Vec<Retired> = retired.extract_if(.., |retired| retired.grace.is_over(&self.calls)).collect();
        let left = retired.len();
        drop(retired);
        // What a closure has captured is dropped here, which is user code.
        drop(over);
        left
    }

    /// The innermost call of this thread, where that is known.
    pub(super) fn up_context(&self) -> Option<&Context> {
        // SAFETY: the innermost call of this thread is below us on this very stack.
        chain::top().map(|top| unsafe { top.as_ref() })
    }

    /// The time by the runtime's clock, else what `poll` was last told.
    pub(super) fn clock(&self) -> Duration {
        match &self.settings.clock {
            Some(clock) => clock.now(),
            None => self.pump.lock().now,
        }
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        self.end();
        // SAFETY: `&mut self` says that no call is under way; the pointer came from `Box::into_raw`.
        drop(unsafe { Box::from_raw(*self.view.get_mut()) });
        self.retired.lock().clear();
        let mut registry = self.registry.lock();
        registry.counts.values().for_each(|count| self.calls.forget(count));
        let order = core::mem::take(&mut registry.plan.order);
        let mut members: Vec<_> = registry.members.drain(..).map(Some).collect();
        drop(registry);
        for at in order.into_iter().rev() {
            members[at] = None;
        }
    }
}
