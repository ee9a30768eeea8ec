//! The host's end of a module in another process: a descriptor whose handlers send, and the answers to what is asked.
//!
//! What the process asks is asked of the same table of functions as a library asks (`far/answers.rs`).

mod act;
mod answers;
mod lanes;
mod queue;
mod table;

pub use act::Act;
use answers::{Own, is_hosts};
pub(crate) use lanes::Put;
pub(crate) use queue::{Delivered, Queue};
pub(crate) use table::InBytes;
pub use table::{TableFault, descriptor};

use alloc::boxed::Box;
use alloc::string::ToString;
use alloc::sync::{Arc, Weak};
use alloc::vec::Vec;
use core::fmt;

use super::crossing::Crossing;
use super::wire::{self, Bytes, Down, Told, Up};
use super::{Attached, EarCalls, GuestClosure, Home, HostCalls, HostEnd, Lodging, fault, host};
use crate::context::Context;
use crate::descriptor::Placement;
use crate::descriptor::{Descriptor, EntryKind, Status};
use crate::error::ModuleError;
use crate::event::Hears;
use crate::handle::Handle;
use crate::lock::Lock;
use crate::message::{Sink, decode};
use crate::place::Place;

/// What a host does next with what a process has said.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Turn {
    /// The answer is sent, and the process speaks again.
    Answer,
    /// The conversation has ended.
    End,
    /// It is no message: the process is not to be trusted any more.
    Garbage,
}

/// A process in which one instance of a module lives.
pub trait Process: Send + Sync + fmt::Debug {
    /// Sends a message, and goes on as `said` says with each one that comes back, until the conversation has ended.
    /// `said` is given a message, and writes the answer.
    ///
    /// # Errors
    /// When the process is gone, hangs or speaks garbage: [`ModuleError::Crashed`], with the cause.
    fn converse(&self, message: &[u8], said: &mut dyn FnMut(&[u8], &mut Vec<u8>) -> Turn) -> Result<(), ModuleError>;

    /// Whether it may do that. What is the host's alone to publish it never may.
    fn may(&self, act: Act<'_>) -> bool {
        let _ = act;
        true
    }

    /// Whether it has not ended, as far as is known.
    fn is_there(&self) -> bool {
        true
    }

    /// Events wait for it: somebody is to call [`Asks::deliver`] soon, and not this thread.
    fn wake(&self) {}
}

/// Answers what a process asks of itself, in no conversation.
pub trait Asks: Send + Sync {
    /// Answers a message; nothing where it is none.
    fn asked(&self, message: &[u8]) -> Option<Vec<u8>>;
    /// The process has ended, and nobody had ended it.
    fn ended(&self, error: ModuleError);
    /// Delivers some of the events that wait for it, in its module's turn. Whether there were any.
    fn deliver(&self) -> bool;
    /// How many events wait for it.
    fn waiting(&self) -> usize;
    /// How many events have ever waited for it, and how many of these it is done with.
    fn progress(&self) -> (u64, u64);
}

/// Makes processes of one library.
pub trait Spawn: Send + Sync + fmt::Debug {
    /// Makes one.
    ///
    /// # Errors
    /// When it could not be made.
    fn spawn(&self, asks: Weak<dyn Asks>) -> Result<Arc<dyn Process>, ModuleError>;

    /// Whether processes come by themselves, so that none is made when one has ended.
    fn comes_by_itself(&self) -> bool {
        false
    }

    /// How many events wait for a process at most, so that nobody waits who publishes them. None do if it is 0: they are
    /// delivered at once.
    fn queue(&self) -> usize {
        0
    }
}

/// A module whose instances live in processes.
#[derive(Debug)]
struct Abroad {
    spawn: Arc<dyn Spawn>,
}

impl Home for Abroad {
    fn lodge(&self, descriptor: &Descriptor, place: &Place, handle: Handle) -> Result<Lodging, ModuleError> {
        let end = host::end(handle);
        let mut failed = Ok(());
        let far = Arc::new_cyclic(|this: &Weak<Far>| {
            let asks: Weak<dyn Asks> = this.clone();
            let process = self.spawn.spawn(asks).map_err(|error| failed = Err(error)).ok();
            let queue = process.as_ref().filter(|_| self.queues()).map(|process| {
                let entries = descriptor.entries();
                Arc::new(Queue::new(place.name, self.spawn.queue(), Arc::downgrade(process), entries))
            });
            Far {
                process,
                queue,
                end,
                name: place.name,
                instance: core::ptr::from_ref(place).addr(),
                own: Lock::default(),
                this: this.clone(),
            }
        });
        failed?;
        for entry in descriptor.entries() {
            if let EntryKind::Event { hears, .. } = entry.kind {
                far.allowed(Act::Subscribe { topic: topic_of(hears) })?;
            }
        }
        let create = Down::Create { id: place.id.0, data_dir: place.data_dir.as_deref() };
        let mut error = Vec::new();
        match far.converse(&create, Some(place), &mut error)? {
            Status::Handled => {
                let queue = far.queue.clone();
                Ok(Lodging { data: Box::into_raw(Box::new(far)).cast(), attached: None, queue })
            }
            _ => Err(far.error(&error)),
        }
    }

    fn attach(&self, _: &'static HostCalls, _: HostEnd, _: &Place) -> Option<Attached> {
        None
    }

    fn placement(&self) -> Placement {
        Placement::Process
    }

    fn queues(&self) -> bool {
        self.spawn.queue() > 0
    }

    fn comes_by_itself(&self) -> bool {
        self.spawn.comes_by_itself()
    }

    unsafe fn flush(&self, data: *mut (), cx: &Context) -> Result<Delivered, ModuleError> {
        // SAFETY: the caller's promise; `lodge` made it.
        unsafe { &*data.cast::<Arc<Far>>() }.flush(cx)
    }
}

unsafe fn destroy(data: *mut ()) {
    // SAFETY: `lodge` made it, and the slot gives it back once.
    let far = unsafe { Box::from_raw(data.cast::<Arc<Far>>()) };
    // A process that is gone has nothing left to end.
    let _ = far.converse(&Down::Destroy, None, &mut Vec::new());
    // Those of the module's own are gone with it; of the others the closures are.
    let left = far.own.lock().take_subscriptions();
    for subscription in left {
        // SAFETY: the end is this one's.
        unsafe { (host::calls().unsubscribe)(far.end, subscription, &mut Vec::new()) };
    }
}

/// One instance in a process.
struct Far {
    process: Option<Arc<dyn Process>>,
    queue: Option<Arc<Queue>>,
    end: HostEnd,
    name: &'static str,
    /// The instance's address.
    instance: usize,
    own: Lock<Own>,
    this: Weak<Self>,
}

impl Drop for Far {
    fn drop(&mut self) {
        // SAFETY: the end was made with this, and goes back once.
        unsafe { (host::calls().release)(self.end) };
    }
}

/// What a conversation has come to.
struct Done<'a> {
    status: Status,
    bytes: &'a [u8],
    error: &'a [u8],
}

impl Far {
    fn ask_in<'m>(&self, message: &'m [u8]) -> Option<Up<'m>> {
        fault::on_account_of(self.name, || decode(message))
    }

    /// What it reports.
    fn error(&self, bytes: &[u8]) -> ModuleError {
        fault::on_account_of(self.name, || fault::read_module(bytes))
    }

    /// Says something, answers what is asked meanwhile, and hands on what it came to.
    fn say<T>(
        &self,
        down: &Down<'_>,
        place: Option<&Place>,
        mut done: impl FnMut(Done<'_>) -> T,
    ) -> Result<T, ModuleError> {
        let (mut result, is_batch) = (None, matches!(down, Down::Events { .. }));
        let mut said = |message: &[u8], answer: &mut Vec<u8>| match self.ask_in(message) {
            Some(Up::Done { status, bytes: Bytes(bytes), error: Bytes(error) }) => {
                result = Some(done(Done { status, bytes, error }));
                Turn::End
            }
            // Events that have waited were published long ago: nobody takes back what it was told would be heard.
            Some(Up::TimeLeft) if is_batch => {
                *answer = wire::to_bytes(&Told::Left(None));
                Turn::Answer
            }
            Some(ask) => {
                self.answer(&ask, place, answer);
                Turn::Answer
            }
            None => Turn::Garbage,
        };
        let gone = || ModuleError::Crashed { module: self.name.to_string(), cause: "it is gone".to_string() };
        let process = self.process.as_ref().ok_or_else(gone)?;
        let message = wire::to_bytes(down);
        wire::too_long(&message).map_or(Ok(()), Err)?;
        process.converse(&message, &mut said)?;
        result.ok_or_else(gone)
    }

    /// The same for what has no reply; what went wrong is written into `error`.
    fn converse(&self, down: &Down<'_>, place: Option<&Place>, error: &mut dyn Sink) -> Result<Status, ModuleError> {
        self.say(down, place, |done| {
            error.put(done.error);
            done.status
        })
    }

    /// The same for a handler, whose reply goes into `reply`.
    fn call(&self, down: &Down<'_>, reply: &mut dyn Sink, cx: &Context) -> Status {
        let called = self.say(down, Some(cx.place()), |done| {
            match done.status {
                Status::Handled if !reply.put(done.bytes) => return Status::Full,
                Status::Failed | Status::Panicked => cx.fail_here(self.error(done.error)),
                _ => {}
            }
            done.status
        });
        called.unwrap_or_else(|error| {
            let has_crashed = matches!(error, ModuleError::Crashed { .. });
            cx.fail_here(error);
            if has_crashed { Status::Panicked } else { Status::Failed }
        })
    }
}

fn topic_of(hears: Hears<'_>) -> &str {
    match hears {
        Hears::Type { name, .. } => name,
        Hears::Named(name) => name,
        Hears::All => "*",
    }
}

impl Asks for Far {
    fn asked(&self, message: &[u8]) -> Option<Vec<u8>> {
        let mut answer = Vec::new();
        self.answer(&self.ask_in(message)?, None, &mut answer);
        Some(answer)
    }

    fn ended(&self, error: ModuleError) {
        // SAFETY: the end is this one's.
        unsafe { host::ended(self.end, self.instance, error) };
    }

    fn deliver(&self) -> bool {
        self.deliver_some()
    }

    fn waiting(&self) -> usize {
        self.queue.as_ref().map_or(0, |queue| queue.len())
    }

    fn progress(&self) -> (u64, u64) {
        self.queue.as_ref().map_or((0, 0), |queue| queue.progress())
    }
}

/// A closure that listens in a process.
struct FarEar {
    far: Weak<Far>,
    closure: u64,
}

const EARS: &EarCalls = &EarCalls { hear, forget };

unsafe fn hear(closure: GuestClosure, event: &Crossing<'_>, error: &mut dyn Sink) -> Status {
    // SAFETY: `answer` made it so, and `forget` has not come yet.
    let ear = unsafe { &*closure.0.cast::<FarEar>() };
    let Some(far) = ear.far.upgrade() else { return Status::Ignored };
    let mut bytes = Vec::new();
    let hear = Down::Hear { closure: ear.closure, event: wire::Event::of(event, &mut bytes) };
    far.converse(&hear, None, error).unwrap_or_else(|gone| {
        fault::write_module(&gone, error);
        Status::Failed
    })
}

unsafe fn forget(closure: GuestClosure) {
    // SAFETY: `answer` made it so, and it comes back once.
    let ear = unsafe { Box::from_raw(closure.0.cast_mut().cast::<FarEar>()) };
    if let Some(far) = ear.far.upgrade() {
        // With the process the closure is gone as well.
        let _ = far.converse(&Down::Forget { closure: ear.closure }, None, &mut Vec::new());
    }
}
