//! One module in a runtime: its instance, its state and its lock. The only caller of a descriptor's functions.
//!
//! The word is the lock: `CLOSED` (nobody may enter), `OPEN`, `OPEN | WRITER`, or `OPEN` plus `READER` for each reader.
//! `WANTED` beside readers says that someone waits to be alone, and keeps new readers out.
//! A module in which nothing that is called while it runs takes `&mut self` has no lock: those who enter only look at
//! `OPEN`. Its instance goes when the runtime does, which outlives every call (see `Handle::with`).

use alloc::boxed::Box;
use alloc::string::ToString;
use alloc::vec::Vec;
use core::sync::atomic::{AtomicPtr, AtomicU8, AtomicUsize, Ordering};

use crate::context::{Carries, Context, ModuleId, Route};
use crate::descriptor::{
    Descriptor, Entry, EntryKind, EventFn, RequestEntry, RequestFn, RestoreFn, SaveFn, Status, Step,
};
use crate::erase::guard;
use crate::error::{ModuleError, ModuleState};
use crate::event::Delivery;
use crate::handwritten::{self, ModuleTrait};
use crate::message::Sink;
use crate::request::{Request, Response};

const CLOSED: usize = 0;
const OPEN: usize = 1;
const WRITER: usize = 2;
const WANTED: usize = 4;
const READER: usize = 8;

/// How a handler shares its module.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Access {
    /// The module has no lock.
    Free,
    /// Beside other readers.
    Shared,
    /// Alone.
    Exclusive,
}

/// Why a module could not be entered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Refused {
    NotRunning,
    Busy,
}

pub(crate) struct Slot {
    pub(crate) id: ModuleId,
    pub(crate) descriptor: Descriptor,
    /// The descriptor's entries, for a route to index.
    pub(crate) entries: Box<[&'static Entry]>,
    lockless: bool,
    word: AtomicUsize,
    instance: AtomicPtr<()>,
    state: AtomicU8,
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

impl Slot {
    pub(crate) fn new(id: ModuleId, descriptor: Descriptor, written: Option<Box<dyn ModuleTrait>>) -> Self {
        Self {
            entries: descriptor.entries().collect(),
            id,
            lockless: descriptor.needs_no_lock(),
            descriptor,
            word: AtomicUsize::new(CLOSED),
            instance: AtomicPtr::new(written.map_or(core::ptr::null_mut(), handwritten::into_instance)),
            state: AtomicU8::new(ModuleState::Registered as u8),
        }
    }

    pub(crate) fn name(&self) -> &'static str {
        self.descriptor.info.name
    }

    pub(crate) fn state(&self) -> ModuleState {
        STATES[usize::from(self.state.load(Ordering::Acquire))]
    }

    pub(crate) fn set_state(&self, state: ModuleState) {
        self.state.store(state as u8, Ordering::Release);
    }

    /// The request behind a route, and how it shares its module.
    #[inline]
    pub(crate) fn request(&self, route: Route) -> Option<(&'static RequestEntry, Access)> {
        let entry = self.entries.get(route.request as usize)?;
        match &entry.kind {
            EntryKind::Request(request) => Some((request, self.access(entry.exclusive))),
            _ => None,
        }
    }

    #[inline]
    pub(crate) fn access(&self, exclusive: bool) -> Access {
        match (self.lockless, exclusive) {
            (true, _) => Access::Free,
            (false, true) => Access::Exclusive,
            (false, false) => Access::Shared,
        }
    }

    /// Enters a running module, or says why not.
    #[inline]
    pub(crate) fn enter(&self, access: Access) -> Result<Entered<'_>, Refused> {
        let word = self.word.load(Ordering::Acquire);
        if word & OPEN == 0 {
            return Err(Refused::NotRunning);
        }
        let entered = match access {
            Access::Free => return Ok(Entered { slot: self, access }),
            Access::Shared => self.enter_shared(WRITER | WANTED)?,
            Access::Exclusive => {
                let free = word & !WANTED == OPEN;
                free && self.word.compare_exchange(word, OPEN | WRITER, Ordering::Acquire, Ordering::Relaxed).is_ok()
            }
        };
        if entered { Ok(Entered { slot: self, access }) } else { Err(Refused::Busy) }
    }

    /// Enters beside other readers unless one of the bits in `unless` is set.
    fn enter_shared(&self, unless: usize) -> Result<bool, Refused> {
        let mut word = self.word.load(Ordering::Relaxed);
        loop {
            if word & OPEN == 0 {
                return Err(Refused::NotRunning);
            }
            if word & unless != 0 {
                return Ok(false);
            }
            match self.word.compare_exchange_weak(word, word + READER, Ordering::Acquire, Ordering::Relaxed) {
                Ok(_) => return Ok(true),
                Err(now) => word = now,
            }
        }
    }

    /// Enters beside other readers although someone waits to be alone: for a call of whom that one waits for.
    #[cfg(feature = "std")]
    pub(crate) fn enter_again(&self) -> Result<Entered<'_>, Refused> {
        let entered = Entered { slot: self, access: Access::Shared };
        match self.enter_shared(WRITER) {
            Ok(true) => Ok(entered),
            Ok(false) => {
                core::mem::forget(entered);
                Err(Refused::Busy)
            }
            Err(refused) => {
                core::mem::forget(entered);
                Err(refused)
            }
        }
    }

    /// Keeps new readers out while someone waits to be alone. It lasts until somebody was.
    #[cfg(feature = "std")]
    pub(crate) fn want(&self) {
        let mut word = self.word.load(Ordering::Relaxed);
        while word & OPEN != 0 && word & WRITER == 0 && word & WANTED == 0 {
            match self.word.compare_exchange_weak(word, word | WANTED, Ordering::Relaxed, Ordering::Relaxed) {
                Ok(_) => return,
                Err(now) => word = now,
            }
        }
    }

    /// Takes back `want`, where nobody waits to be alone any more.
    #[cfg(feature = "std")]
    pub(crate) fn unwant(&self) {
        self.word.fetch_and(!WANTED, Ordering::Relaxed);
    }

    /// Lets callers in. Only the runtime's own transitions call this, after the steps that lead to `Running`.
    pub(crate) fn open(&self) {
        self.set_state(ModuleState::Running);
        self.word.store(OPEN, Ordering::Release);
    }

    /// Lets nobody in any more. `Busy` when someone with a lock is still inside, `NotRunning` when it was closed already.
    ///
    /// A module without a lock may have callers inside who entered before; what runs beside them takes `&self`.
    pub(crate) fn close(&self) -> Result<(), Refused> {
        if self.lockless {
            let word = self.word.swap(CLOSED, Ordering::AcqRel);
            return if word == CLOSED { Err(Refused::NotRunning) } else { Ok(()) };
        }
        let word = self.word.load(Ordering::Acquire);
        if word & OPEN == 0 {
            return Err(Refused::NotRunning);
        }
        if word & !WANTED != OPEN {
            return Err(Refused::Busy);
        }
        match self.word.compare_exchange(word, CLOSED, Ordering::AcqRel, Ordering::Relaxed) {
            Ok(_) => Ok(()),
            Err(_) => Err(Refused::Busy),
        }
    }

    fn instance(&self) -> *mut () {
        self.instance.load(Ordering::Acquire)
    }

    /// Makes the instance, unless a hand-written module brought its own.
    pub(crate) fn create(&self) -> Result<(), ModuleError> {
        if self.instance().is_null() {
            // SAFETY: `create` has no precondition; what it makes belongs to this slot alone.
            let instance = unsafe { (self.descriptor.vtable.create)() };
            if instance.is_null() {
                return Err(ModuleError::Panicked {
                    module: self.name().to_string(),
                    message: "while it was created".to_string(),
                });
            }
            self.instance.store(instance, Ordering::Release);
        }
        Ok(())
    }

    /// Puts configured values into the instance, which nobody else can reach yet.
    pub(crate) fn configure<'c>(&self, value: impl Fn(&str) -> Option<&'c str>) -> Result<(), ModuleError> {
        for setting in self.descriptor.settings {
            let key = setting.key.name;
            let value = value(key);
            // SAFETY: the slot is closed and one transition runs at a time, so the instance is this caller's alone.
            let loaded = guard(|| unsafe { (setting.load)(key, self.instance(), value) });
            loaded.map_err(|message| ModuleError::Panicked { module: self.name().to_string(), message })??;
        }
        Ok(())
    }

    /// Runs a lifecycle step of a closed module, if it handles it.
    pub(crate) fn step(&self, step: Step, cx: &Context) -> Result<(), ModuleError> {
        let Some(call) = self.descriptor.step(step) else { return Ok(()) };
        // SAFETY: the slot is closed. If the module has a lock, nobody is inside; if it has none, a step that runs beside
        // its other handlers takes `&self` (`Descriptor::needs_no_lock`), and those before `open` run alone.
        match unsafe { call(self.instance(), cx) } {
            Status::Handled => Ok(()),
            _ => Err(cx.take_fault()),
        }
    }
}

impl Slot {
    /// Gives a module that has never run a state back; `None` when the bytes are not of the handler's schema.
    pub(crate) fn restore(&self, call: RestoreFn, bytes: &[u8], cx: &Context) -> Option<Result<(), ModuleError>> {
        // SAFETY: `call` is of this descriptor, and before `open` the instance is this transition's alone.
        match unsafe { call(self.instance(), bytes, cx) } {
            Status::Handled => Some(Ok(())),
            Status::Malformed => None,
            _ => Some(Err(cx.take_fault())),
        }
    }

    /// Destroys the instance.
    pub(crate) fn destroy(&mut self) {
        let instance = core::mem::replace(self.instance.get_mut(), core::ptr::null_mut());
        if !instance.is_null() {
            // SAFETY: `instance` came from `create` of this descriptor, and `&mut self` says that nobody is inside.
            unsafe { (self.descriptor.vtable.destroy)(instance) };
            self.set_state(ModuleState::Unloaded);
        }
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        self.destroy();
    }
}

/// Someone is inside the module, in the way that the access says.
pub(crate) struct Entered<'a> {
    slot: &'a Slot,
    access: Access,
}

impl Drop for Entered<'_> {
    #[inline]
    fn drop(&mut self) {
        match self.access {
            Access::Free => {}
            Access::Shared => drop(self.slot.word.fetch_sub(READER, Ordering::Release)),
            // Nobody else changes the word of a module that is held alone.
            Access::Exclusive => self.slot.word.store(OPEN, Ordering::Release),
        }
    }
}

impl Entered<'_> {
    /// Calls an event handler of this module.
    ///
    /// # Safety
    /// `call` is of this slot's descriptor, listens to the delivery, and the access is the one of its entry.
    #[inline]
    pub(crate) unsafe fn event(&self, call: EventFn, delivery: &Delivery<'_>, cx: &Context) -> Status {
        // SAFETY: the instance exists while the slot is open; the rest is passed on.
        unsafe { call(self.slot.instance.load(Ordering::Relaxed), delivery, cx) }
    }

    /// Calls a request handler of this module with what the call carries.
    ///
    /// # Safety
    /// `handler` is of this slot's descriptor, and the access is the one of its entry.
    #[inline]
    pub(crate) unsafe fn request(
        &self,
        handler: &RequestFn,
        name: &str,
        carries: &mut Carries<'_>,
        cx: &Context,
    ) -> Status {
        let module = self.slot.instance.load(Ordering::Relaxed);
        match (handler, carries) {
            (RequestFn::Typed(handler, codec), Carries::Typed(call)) => {
                // SAFETY: the codec stands beside its handler in the entry; the rest is passed on.
                if let Some(status) = unsafe { call.direct(codec, *handler, module, cx) } {
                    return status;
                }
                if call.codec().agrees(codec).is_err() {
                    return Status::Mismatch;
                }
                let mut reply = Vec::new();
                // SAFETY: as above.
                let status = unsafe { codec.serve(*handler, module, &call.encode(), &mut reply, cx) };
                if status == Status::Handled && !call.decode(&reply) { Status::BadReply } else { status }
            }
            (RequestFn::Typed(handler, codec), Carries::Bytes { args, reply }) => {
                // SAFETY: as above.
                unsafe { codec.serve(*handler, module, args, *reply, cx) }
            }
            (RequestFn::Typed(handler, codec), Carries::Raw { request, response }) => {
                let mut reply = Vec::new();
                // SAFETY: as above.
                let status = unsafe { codec.serve(*handler, module, &request.payload, &mut reply, cx) };
                if status == Status::Handled {
                    *response = Some(Response::Success(reply));
                }
                status
            }
            (RequestFn::Raw(handler), Carries::Raw { request, response }) => {
                request.set_source(cx.up().map_or("", Context::name));
                // SAFETY: passed on.
                unsafe { handler(module, request, response, cx) }
            }
            (RequestFn::Raw(handler), carries) => {
                let payload = match carries {
                    Carries::Typed(call) => call.encode(),
                    Carries::Bytes { args, .. } => args.to_vec(),
                    Carries::Raw { .. } => unreachable!("matched above"),
                };
                let mut request = Request::new(name).with_payload(payload);
                request.set_source(cx.up().map_or("", Context::name));
                let mut response = None;
                // SAFETY: passed on.
                let status = unsafe { handler(module, &request, &mut response, cx) };
                if status == Status::Handled { take_response(response, carries, cx) } else { status }
            }
        }
    }

    /// Whether the module says that it is well: `Handled` if so, `Ignored` if not.
    pub(crate) fn health(&self, cx: &Context) -> Status {
        let Some(call) = self.slot.descriptor.step(Step::Health) else { return Status::Handled };
        // SAFETY: the runtime enters with the access of this handler of this module.
        unsafe { call(self.slot.instance(), cx) }
    }

    /// The module's state in bytes.
    pub(crate) fn save(&self, call: SaveFn, sink: &mut dyn Sink, cx: &Context) -> Status {
        // SAFETY: the runtime enters with the access of this handler of this module.
        unsafe { call(self.slot.instance(), sink, cx) }
    }

    /// Leaves a module whose handler panicked: nobody enters it again.
    pub(crate) fn crash(self) {
        self.slot.set_state(ModuleState::Failed);
        if self.access == Access::Exclusive {
            self.slot.word.store(CLOSED, Ordering::Release);
            core::mem::forget(self);
        } else {
            self.slot.word.fetch_and(!OPEN, Ordering::Release);
        }
    }
}

/// Turns a raw handler's response into what a typed or encoded call expects.
fn take_response(response: Option<Response>, carries: &mut Carries<'_>, cx: &Context) -> Status {
    match response {
        Some(Response::Success(bytes)) => match carries {
            Carries::Typed(call) => {
                if call.decode(&bytes) {
                    Status::Handled
                } else {
                    Status::BadReply
                }
            }
            Carries::Bytes { reply, .. } => {
                if reply.put(&bytes) {
                    Status::Handled
                } else {
                    Status::Full
                }
            }
            Carries::Raw { .. } => unreachable!("a raw call keeps the response as it is"),
        },
        Some(Response::Error(message) | Response::Rejected(message)) => {
            cx.fail(ModuleError::Failed(message.into()));
            Status::Failed
        }
        Some(Response::NotSupported) | None => Status::Ignored,
    }
}
