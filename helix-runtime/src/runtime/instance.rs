//! One instance of a module: its data, its state and its lock. With `way.rs`, the only caller of a descriptor's functions.
//!
//! Its data goes when nobody is inside and nobody can come: at the end of a transition that has the instance to itself, or,
//! with the instance, after every call that could have found it has ended (`registry.rs`).

use alloc::boxed::Box;
use alloc::format;
use alloc::string::{String, ToString};
use alloc::sync::Arc;
use core::ops::Range;
use core::sync::atomic::{AtomicBool, AtomicPtr, AtomicU8, AtomicUsize, Ordering};
use core::time::Duration;

#[cfg(feature = "std")]
use crate::boundary::{Attached, Delivered, Lodging, Queue};
use crate::bus::EventTopic;
use crate::context::Context;
use crate::descriptor::{Descriptor, Entry, EntryKind, EventFn, RequestEntry, RestoreFn, SaveFn, Status, Step};
use crate::error::{ModuleError, ModuleState};
use crate::event::{Delivery, Hears, SubscriptionPriority};
use crate::handle::Handle;
use crate::message::Sink;
use crate::place::Place;
use crate::runtime::slot::Slot;
use crate::runtime::word::{Access, Word};

/// What every call reads stands together, at the front: in one line of most caches.
#[repr(C, align(64))]
pub(crate) struct Instance {
    pub(crate) word: Word,
    data: AtomicPtr<()>,
    /// What outlives the instance.
    pub(crate) slot: Arc<Slot>,
    pub(crate) place: Place,
    pub(crate) descriptor: Descriptor,
    /// The descriptor's entries, for a table to index.
    pub(crate) entries: Box<[&'static Entry]>,
    /// What a closure listens to, and its priority; a module's entries say so themselves.
    pub(crate) listens: Option<(Box<[EventTopic]>, SubscriptionPriority)>,
    /// One for each hearing, where statistics are switched on.
    pub(crate) counters: Box<[Counters]>,
    lockless: bool,
    /// Counts up from the module's first instance.
    pub(crate) generation: u32,
    state: AtomicU8,
    /// Whether it is to run again, although it does not.
    awaited: AtomicBool,
    #[cfg(feature = "std")]
    parting: AtomicBool,
    /// The other copy of this crate that the module carries, if it does, once it was asked to make the data.
    #[cfg(feature = "std")]
    attached: std::sync::OnceLock<Attached>,
    /// Where events wait for it, if they do, once the data was made.
    #[cfg(feature = "std")]
    queue: std::sync::OnceLock<Arc<Queue>>,
}

/// One thing that an instance listens to.
pub(crate) struct Hearing<'a> {
    pub(crate) hears: Hears<'a>,
    pub(crate) priority: SubscriptionPriority,
    pub(crate) entry: &'static Entry,
    pub(crate) call: EventFn,
    pub(crate) access: Access,
}

/// What one hearing came to so far.
#[derive(Default)]
pub(crate) struct Counters {
    pub(crate) calls: AtomicUsize,
    pub(crate) failures: AtomicUsize,
    /// In nanoseconds.
    pub(crate) time: AtomicUsize,
}

impl Counters {
    /// Once more, and how long it took where that is known.
    #[inline]
    pub(crate) fn count(&self, status: Status, time: Option<Duration>) {
        self.calls.fetch_add(1, Ordering::Relaxed);
        if let Some(time) = time {
            self.time.fetch_add(time.as_nanos() as usize, Ordering::Relaxed);
        }
        if matches!(status, Status::Failed | Status::Panicked) {
            self.failures.fetch_add(1, Ordering::Relaxed);
        }
    }
}

const STATES: [ModuleState; 7] = [
    ModuleState::Registered,
    ModuleState::Created,
    ModuleState::Initialized,
    ModuleState::Running,
    ModuleState::Stopped,
    ModuleState::Unloaded,
    ModuleState::Failed,
];

impl Instance {
    /// An instance of a module, with the data that a module made by hand brings along.
    pub(crate) fn new(slot: Arc<Slot>, descriptor: Descriptor, data: *mut ()) -> Self {
        let mut place = Place::new(slot.id, descriptor.info.name);
        place.permissions = descriptor.info.permissions;
        place.data_dir = slot.data_dir.clone();
        let entries: Box<[_]> = descriptor.entries().collect();
        Self {
            place,
            generation: slot.next_generation(),
            slot,
            entries,
            listens: None,
            counters: Box::default(),
            lockless: descriptor.needs_no_lock(),
            descriptor,
            word: Word::closed(),
            data: AtomicPtr::new(data),
            state: AtomicU8::new(ModuleState::Registered as u8),
            awaited: AtomicBool::new(false),
            #[cfg(feature = "std")]
            parting: AtomicBool::new(false),
            #[cfg(feature = "std")]
            attached: std::sync::OnceLock::new(),
            #[cfg(feature = "std")]
            queue: std::sync::OnceLock::new(),
        }
    }

    pub(crate) fn name(&self) -> &'static str {
        self.descriptor.info.name
    }

    /// The instance, as the owner of closures.
    pub(crate) fn address(&self) -> usize {
        core::ptr::from_ref(&self.place) as usize
    }

    /// How many numbers the low bits of an instance's address have: one for each of the first handlers, and the last for
    /// all others.
    pub(crate) const HANDLERS: usize = align_of::<Self>();

    /// The marks of all calls that are inside: the instance's address, and in its low bits which handler.
    pub(crate) fn marks(&self) -> Range<usize> {
        let start = core::ptr::from_ref(self).addr();
        start..start + Self::HANDLERS
    }

    pub(crate) fn is_lockless(&self) -> bool {
        self.lockless
    }

    pub(crate) fn state(&self) -> ModuleState {
        STATES[usize::from(self.state.load(Ordering::Acquire))]
    }

    pub(crate) fn is_running(&self) -> bool {
        self.state() == ModuleState::Running
    }

    /// Moves the instance on, if its life allows that.
    pub(crate) fn move_to(&self, next: ModuleState) -> Result<(), ModuleError> {
        let moved = self.state.fetch_update(Ordering::AcqRel, Ordering::Acquire, |state| {
            STATES[usize::from(state)].may_become(next).then_some(next as u8)
        });
        moved.map(|_| ()).map_err(|found| ModuleError::WrongState {
            module: self.name().to_string(),
            found: STATES[usize::from(found)],
            expected: next.comes_after(),
        })
    }

    /// A step has failed.
    pub(crate) fn fail(&self) {
        self.crash();
    }

    /// Whether it is to run again after something has failed: what waits in a queue may wait on.
    #[cfg(feature = "std")]
    pub(crate) fn is_awaited(&self) -> bool {
        self.awaited.load(Ordering::SeqCst)
    }

    /// Says so.
    pub(crate) fn await_again(&self, awaited: bool) {
        self.awaited.store(awaited, Ordering::SeqCst);
    }

    /// Whether it is about to go, and nobody takes over what would wait for it.
    #[cfg(feature = "std")]
    pub(crate) fn is_parting(&self) -> bool {
        self.parting.load(Ordering::SeqCst)
    }

    /// Says so.
    #[cfg(feature = "std")]
    pub(crate) fn part(&self, parting: bool) {
        self.parting.store(parting, Ordering::SeqCst);
    }

    /// A handler has panicked, or what the instance lived in has ended. Whether that was not known before.
    pub(crate) fn crash(&self) -> bool {
        self.await_again(true);
        self.state.swap(ModuleState::Failed as u8, Ordering::AcqRel) != ModuleState::Failed as u8
    }

    /// The requests, and how each shares the module.
    pub(crate) fn requests(&self) -> impl Iterator<Item = (&'static Entry, &'static RequestEntry, Access)> + '_ {
        self.entries.iter().filter_map(|entry| match &entry.kind {
            EntryKind::Request(request) => Some((*entry, request, self.access(entry.exclusive))),
            _ => None,
        })
    }

    /// What the instance listens to, in order.
    pub(crate) fn hearings(&self) -> impl Iterator<Item = Hearing<'_>> + '_ {
        let of_entries = self.entries.iter().filter_map(|entry| match entry.kind {
            EntryKind::Event { hears, priority, call } => {
                Some(Hearing { hears, priority, entry, call, access: self.access(entry.exclusive) })
            }
            _ => None,
        });
        let (topics, priority) = match &self.listens {
            Some((topics, priority)) => (&topics[..], *priority),
            None => (&[][..], SubscriptionPriority::NORMAL),
        };
        // A closure has one entry, which hears all; its topics say what of that is meant.
        let closure = of_entries.clone().next().map(|hearing| (hearing.entry, hearing.call));
        let of_topics = topics.iter().filter_map(move |topic| {
            let (entry, call) = closure?;
            Some(Hearing { hears: topic.hears(), priority, entry, call, access: Access::Free })
        });
        let is_module = self.listens.is_none();
        of_topics.chain(of_entries.filter(move |_| is_module))
    }

    #[inline]
    pub(crate) fn access(&self, exclusive: bool) -> Access {
        match (self.lockless, exclusive) {
            (true, _) => Access::Free,
            (false, true) => Access::Exclusive,
            (false, false) => Access::Shared,
        }
    }

    /// Calls an event handler of this module.
    ///
    /// # Safety
    /// Whoever calls has entered as the handler's [`Way`] says; `call` is of this instance's descriptor and listens to the
    /// delivery.
    #[inline(always)]
    pub(crate) unsafe fn event(&self, call: EventFn, delivery: &Delivery<'_>, cx: &Context) -> Status {
        // SAFETY: the data exists while someone is inside; the rest is passed on.
        unsafe { call(self.data.load(Ordering::Relaxed), delivery, cx) }
    }

    /// What is wrong with a module that should run and does not.
    pub(crate) fn not_running(&self) -> ModuleError {
        let (module, found) = (self.name().to_string(), self.state());
        ModuleError::WrongState { module, found, expected: ModuleState::Running }
    }

    /// What a handler is called, for a message.
    pub(crate) fn handler_name(&self, mark: usize) -> String {
        let entry = self.entries[..self.entries.len().min(Self::HANDLERS - 1)].get(mark % Self::HANDLERS);
        match entry.map(|entry| &entry.kind) {
            Some(EntryKind::Request(request)) => format!("`{}.{}`", self.name(), request.name),
            Some(EntryKind::Event { hears: Hears::Type { name, .. } | Hears::Named(name), .. }) => {
                format!("its handler of `{name}`")
            }
            Some(EntryKind::Event { .. }) => "its handler of all events".to_string(),
            Some(EntryKind::Step(step, _)) => format!("`{}`", step.attribute()),
            Some(EntryKind::Save { .. }) => "`on_save`".to_string(),
            Some(EntryKind::Restore { .. }) => "`on_restore`".to_string(),
            None => "a handler".to_string(),
        }
    }

    /// Lets callers in, after the steps that lead to `Running`.
    pub(crate) fn open(&self) -> Result<(), ModuleError> {
        self.move_to(ModuleState::Running)?;
        self.await_again(false);
        self.word.open();
        Ok(())
    }

    #[inline(always)]
    pub(crate) fn data(&self) -> *mut () {
        self.data.load(Ordering::Acquire)
    }

    /// Makes the data, unless a hand-written module brought its own.
    pub(crate) fn create(&self, handle: impl FnOnce() -> Handle) -> Result<(), ModuleError> {
        if self.data().is_null() {
            let data = self.made(handle)?;
            if data.is_null() {
                return Err(ModuleError::Panicked {
                    module: self.name().to_string(),
                    message: "while it was created".to_string(),
                });
            }
            self.data.store(data, Ordering::Release);
        }
        Ok(())
    }

    /// The data of a new instance; null when its constructor has panicked.
    fn made(&self, handle: impl FnOnce() -> Handle) -> Result<*mut (), ModuleError> {
        #[cfg(feature = "std")]
        if let Some(home) = self.descriptor.home {
            let Lodging { data, attached, queue } = home.lodge(&self.descriptor, &self.place, handle())?;
            if let Some(attached) = attached {
                // An instance is made once.
                let _ = self.attached.set(attached);
            }
            if let Some(queue) = queue {
                let _ = self.queue.set(queue);
            }
            return Ok(data);
        }
        let _ = handle;
        // SAFETY: `create` has no precondition; what it makes belongs to this instance alone.
        Ok(unsafe { (self.descriptor.vtable.create)() })
    }

    /// Puts configured values into the data, which nobody else can reach yet.
    pub(crate) fn configure<'c>(
        &self,
        cx: &Context,
        value: impl Fn(&str) -> Option<&'c str>,
    ) -> Result<(), ModuleError> {
        for setting in self.descriptor.settings {
            let key = setting.key.name;
            let value = value(key);
            // SAFETY: the word is closed and one transition runs at a time, so the data is this caller's alone.
            let status = unsafe { (setting.load)(key, self.data(), value, cx) };
            if status != Status::Handled {
                return Err(cx.take_fault());
            }
        }
        Ok(())
    }

    /// Where events wait for it, if they do.
    #[cfg(feature = "std")]
    pub(crate) fn queue(&self) -> Option<&Queue> {
        self.queue.get().map(|queue| &**queue)
    }

    /// Delivers the events that wait for it. For a transition that has the instance to itself.
    #[cfg(feature = "std")]
    pub(crate) fn flush(&self, cx: &Context) -> Result<Delivered, ModuleError> {
        let Some(home) = self.descriptor.home else { return Ok(Delivered::default()) };
        // SAFETY: the home has made the data, which is there: the transition has the instance to itself.
        unsafe { home.flush(self.data(), cx) }
    }

    /// Runs a lifecycle step, if the module handles it. For a transition that has the instance to itself.
    pub(crate) fn step(&self, step: Step, cx: &Context) -> Result<(), ModuleError> {
        let Some(call) = self.descriptor.step(step) else { return Ok(()) };
        // SAFETY: the transition has the instance to itself: nobody else is inside.
        match unsafe { call(self.data(), cx) } {
            Status::Handled => Ok(()),
            _ => Err(cx.take_fault()),
        }
    }

    /// Whether the module says that it is well: `Handled` if so, `Ignored` if not. For a transition, as above, or for
    /// whoever has entered with the access of that handler.
    pub(crate) fn health(&self, cx: &Context) -> Status {
        let Some(call) = self.descriptor.step(Step::Health) else { return Status::Handled };
        // SAFETY: the caller's promise.
        unsafe { call(self.data(), cx) }
    }

    /// The module's state in bytes. For a transition, as above, or for whoever has entered with the access of `call`.
    pub(crate) fn save(&self, call: SaveFn, sink: &mut dyn Sink, cx: &Context) -> Status {
        // SAFETY: `call` is of this descriptor, and the rest is the caller's promise.
        unsafe { call(self.data(), sink, cx) }
    }

    /// Gives an instance that has never run a state back; `None` when the bytes are not of the handler's schema.
    pub(crate) fn restore(&self, call: RestoreFn, bytes: &[u8], cx: &Context) -> Option<Result<(), ModuleError>> {
        // SAFETY: `call` is of this descriptor, and before `open` the data is this transition's alone.
        match unsafe { call(self.data(), bytes, cx) } {
            Status::Handled => Some(Ok(())),
            Status::Malformed => None,
            _ => Some(Err(cx.take_fault())),
        }
    }

    /// Destroys the data of an instance that is closed and that nobody is inside of.
    ///
    /// # Safety
    /// Nobody is inside, and nobody can come: the word is closed, and since then no mark of it was found.
    pub(crate) unsafe fn destroy(&self) {
        let data = self.data.swap(core::ptr::null_mut(), Ordering::AcqRel);
        if !data.is_null() {
            // SAFETY: `data` came from `create` of this descriptor; the rest is the caller's promise.
            unsafe { (self.descriptor.vtable.destroy)(data) };
        }
    }
}

impl Drop for Instance {
    fn drop(&mut self) {
        // SAFETY: `&mut self` says that nobody is inside.
        unsafe { self.destroy() };
    }
}
