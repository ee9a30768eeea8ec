//! The host's end of one process: its channels, its control lane, and how it ended.

mod attend;
mod channels;
mod drained;

use std::cell::Cell;
use std::io;
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, OnceLock, PoisonError, Weak};
use std::thread::Thread;
use std::time::{Duration, Instant};

use helix_runtime::ModuleError;
use helix_runtime::boundary::{Act, Asks, Process, Turn};
use rustix::process::{Pid, Signal, kill_process_group};

use super::control::{Begin, Receiver, Sender, ToProcess};
use super::frame::{self, Channel, FrameFault};
use super::meter::Meter;
use super::permits::Permits;
use attend::{Attending, run};
use channels::Channels;
pub(super) use drained::plain;

/// What a process is made of.
#[derive(Debug, Clone)]
pub struct Order {
    /// The module's name.
    pub module: &'static str,
    /// The program that serves it, and what that is told; nothing where programs join by themselves.
    pub made: Option<(PathBuf, Begin)>,
    /// How long it may be silent in a conversation.
    pub deadline: Duration,
    /// How many events wait for it at most; none do if it is 0.
    pub queue: usize,
    /// What goes over its links.
    pub meter: Arc<Meter>,
    /// What it may do.
    pub permits: Arc<Permits>,
}

impl Order {
    /// How many conversations there are at a time: fewer where it may have few files.
    fn most_channels(&self) -> usize {
        let files = self.made.as_ref().map_or(u64::MAX, |(_, begin)| begin.sandbox.files);
        usize::try_from(files / 4).unwrap_or(MOST_CHANNELS).clamp(1, MOST_CHANNELS)
    }
}

/// One process, and what is said to it.
#[derive(Debug)]
pub struct Link {
    module: &'static str,
    /// How long it may be silent in a conversation, in milliseconds.
    deadline: AtomicU64,
    permits: Arc<Permits>,
    meter: Arc<Meter>,
    group: Pid,
    /// How it is ended.
    end_by: Arc<EndBy>,
    control: Sender,
    channels: Channels,
    /// Whether its host is about to end: what it waits for is its own time too from then on.
    hurried: AtomicBool,
    asks: OnceLock<Weak<dyn Asks>>,
    /// Who delivers the events that wait.
    delivers: OnceLock<Thread>,
    /// What of its sandbox is in force.
    sandbox: OnceLock<Vec<String>>,
    /// Whether a conversation has failed.
    failed: AtomicBool,
    /// Whether its host has ended it.
    dismissed: AtomicBool,
    /// Why it was ended, where it was for something that it did or did not do.
    blamed: Mutex<Option<String>>,
    end: Mutex<Option<String>>,
    ended: Condvar,
}

/// How a process is ended.
#[derive(Debug)]
enum EndBy {
    /// With its group, unless the system has taken its number back.
    Kill(Mutex<bool>),
    /// It is no child: nobody speaks with it any more.
    Closing(UnixStream),
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// How long a process that was asked to end has for it.
const GRACE: Duration = Duration::from_secs(2);

/// How many conversations there are with a process at a time, and as many more on behalf of other processes' conversations: each
/// takes a thread of it, and a file.
const MOST_CHANNELS: usize = 32;

/// How many questions of a process's own threads wait for their answers at a time.
const MOST_ASKS: usize = 64;

impl Link {
    /// Makes a process, and waits until its module is loaded. Gives its table of handlers too.
    pub fn spawn(order: &Order) -> Result<(Arc<Self>, Vec<u8>), ModuleError> {
        let order = order.clone();
        Self::attended(order.module, move || Attending::new(&order))
    }

    /// Takes a program in that has joined, and waits until it has told its handlers.
    pub fn join(order: &Order, socket: UnixStream, receiver: Receiver) -> Result<(Arc<Self>, Vec<u8>), ModuleError> {
        let order = order.clone();
        Self::attended(order.module, move || Attending::joined(&order, socket, receiver))
    }

    fn attended(
        module: &'static str,
        make: impl FnOnce() -> io::Result<Attending> + Send + 'static,
    ) -> Result<(Arc<Self>, Vec<u8>), ModuleError> {
        let (tells, told) = mpsc::channel();
        let failed = move |error: io::Error| failed(module, &error);
        let thread = std::thread::Builder::new().name(format!("helix-link-{module}"));
        // The thread that makes it stays: the system ends a process with the thread that it was made for.
        thread.spawn(move || run(make(), &tells)).map_err(failed)?;
        told.recv().unwrap_or_else(|_| Err(io::Error::other("its thread has ended"))).map_err(failed)
    }

    /// Whom the process's own threads ask, and who has the events that wait for it.
    pub fn answered_by(&self, asks: Weak<dyn Asks>, queue: usize) -> Result<(), ModuleError> {
        // A process serves one instance.
        let _ = self.asks.set(asks.clone());
        if queue > 0 {
            let thread = std::thread::Builder::new().name(format!("helix-events-{}", self.module));
            let thread = thread.spawn(move || deliver_on(&asks)).map_err(|error| failed(self.module, &error))?;
            let _ = self.delivers.set(thread.thread().clone());
        }
        Ok(())
    }

    /// The process's number.
    pub fn pid(&self) -> u32 {
        self.group.as_raw_nonzero().get().unsigned_abs()
    }

    /// Whether it has not ended yet.
    pub fn is_there(&self) -> bool {
        !self.failed.load(Ordering::Acquire) && locked(&self.end).is_none()
    }

    /// What of its sandbox is in force.
    pub fn sandbox(&self) -> Vec<String> {
        self.sandbox.get().cloned().unwrap_or_default()
    }

    /// Waits until it has heard the events that wait for it now, or has ended, but no longer than that. Whether it has.
    pub fn settle(&self, until: Instant) -> bool {
        let progress = || self.asks.get().and_then(Weak::upgrade).map(|asks| asks.progress());
        let Some((put, _)) = progress() else { return false };
        while self.is_there() {
            match progress() {
                Some((_, done)) if done >= put => return true,
                Some(_) if Instant::now() < until => std::thread::sleep(Duration::from_millis(1)),
                _ => return false,
            }
        }
        false
    }

    /// How many events wait for it.
    pub fn waiting(&self) -> usize {
        self.asks.get().and_then(Weak::upgrade).map_or(0, |asks| asks.waiting())
    }

    /// How long it may be silent in a conversation.
    pub fn deadline(&self) -> Duration {
        Duration::from_millis(self.deadline.load(Ordering::Relaxed))
    }

    /// Gives it so long in each conversation at most, from here on, and in those that are under way.
    pub fn hurry(self: &Arc<Self>, deadline: Duration) {
        self.deadline.fetch_min(deadline.as_millis() as u64, Ordering::Relaxed);
        self.hurried.store(true, Ordering::Release);
        let (link, now, deadline) = (Arc::downgrade(self), Instant::now(), self.deadline());
        if !self.channels.is_busy_since(now) {
            return;
        }
        let end = move || {
            std::thread::sleep(deadline);
            let Some(link) = link.upgrade() else { return };
            if link.channels.is_busy_since(now) {
                link.blame(link.late());
            }
        };
        // Without a thread it ends when it ends.
        drop(std::thread::Builder::new().name("helix-hurry".into()).spawn(end));
    }

    /// A channel for a conversation that has begun.
    fn channel(&self, idle: Option<Channel>, deadline: Duration) -> io::Result<Channel> {
        if let Some(mut channel) = idle {
            return channel.wait_for(Some(deadline)).map(|()| channel);
        }
        let (ours, theirs) = UnixStream::pair()?;
        self.control.send_with(&ToProcess::Channel, Some(&theirs))?;
        Channel::new(ours, Some(deadline))
    }

    /// Ends its group, if it is still there: its number may be another one's then.
    fn kill(&self) {
        match &*self.end_by {
            EndBy::Kill(buried) => {
                if !*locked(buried) {
                    // It may have ended by itself.
                    let _ = kill_process_group(self.group, Signal::KILL);
                }
            }
            EndBy::Closing(socket) => drop(socket.shutdown(std::net::Shutdown::Both)),
        }
    }

    /// Ends it for something that it did.
    fn blame(&self, cause: String) {
        locked(&self.blamed).get_or_insert(cause);
        self.kill();
    }

    /// What it is ended for when its time is over, with the name of the setting that has given it.
    fn late(&self) -> String {
        let hurried = self.hurried.load(Ordering::Acquire);
        let setting = if hurried { "maintenance.timeout_s" } else { "deadline_ms" };
        format!("it has not answered for {:?} (`{setting}`)", self.deadline())
    }

    /// Why it has ended: its thread knows in a moment.
    fn cause(&self) -> String {
        let end = locked(&self.end);
        let (end, _) =
            self.ended.wait_timeout_while(end, GRACE, |end| end.is_none()).unwrap_or_else(PoisonError::into_inner);
        end.clone().unwrap_or_else(|| "it has closed its end of the socket".into())
    }

    /// Holds a conversation. Tells when the last was said.
    fn talk(
        &self,
        mut began: Instant,
        message: &[u8],
        said: &mut dyn FnMut(&[u8], &mut Vec<u8>) -> Turn,
    ) -> Result<Instant, FrameFault> {
        let mut patience = self.deadline();
        // Modules that call each other would wait for each other, were there no more for whom a conversation waits already.
        let more = if WITHIN.get() { 2 } else { 1 };
        let mut conversation = self.channels.begin(began, patience, more)?;
        began = conversation.began;
        let mut channel = self.channel(conversation.channel.take(), patience).map_err(frame::fault)?;
        let mut answer = Vec::new();
        channel.until(began + patience);
        channel.send(message)?;
        self.meter.send(message.len());
        loop {
            answer.clear();
            let message = channel.receive()?;
            self.meter.receive(message.len());
            let heard = Instant::now();
            // However often it asks: only what it waits for is not its own.
            patience = patience.checked_sub(heard - began).ok_or(FrameFault::Late)?;
            match within(|| said(message, &mut answer)) {
                Turn::Answer => {
                    // To read what it is told is its own too, and all of it once the host is about to end.
                    let now = Instant::now();
                    began = if self.hurried.load(Ordering::Acquire) { heard } else { now };
                    let left = patience.checked_sub(now - began).ok_or(FrameFault::Late)?;
                    channel.until(now + left);
                    channel.shorten(left)?;
                    channel.send(&answer)?;
                    self.meter.send(answer.len());
                }
                Turn::End => {
                    conversation.channel = Some(channel);
                    return Ok(heard);
                }
                Turn::Garbage => return Err(FrameFault::Io(io::Error::other("it speaks another language"))),
            }
        }
    }
}

thread_local! {
    /// Whether this thread does what a process wants in a conversation.
    static WITHIN: Cell<bool> = const { Cell::new(false) };
}

/// Does what a process wants.
fn within<T>(run: impl FnOnce() -> T) -> T {
    struct Before(bool);
    impl Drop for Before {
        fn drop(&mut self) {
            WITHIN.set(self.0);
        }
    }
    let _before = Before(WITHIN.replace(true));
    run()
}

fn failed(module: &str, error: &io::Error) -> ModuleError {
    ModuleError::new(format!("the process of `{module}` could not be made: {error}"))
}

/// With fewer events than that it waits so long for more, once some were delivered.
const FEW: usize = 256;
const GATHER: Duration = Duration::from_micros(50);
/// When it tries again where a module could not be entered.
const AGAIN: Duration = Duration::from_millis(20);

/// Delivers events whenever some wait, until the process is let go.
fn deliver_on(asks: &Weak<dyn Asks>) {
    // While it is made, nobody has it yet.
    std::thread::park();
    while let Some(asks) = asks.upgrade() {
        while asks.deliver() {
            // Whoever publishes many soon has more of them, and one conversation is had for all of these.
            if asks.waiting() < FEW {
                std::thread::sleep(GATHER);
            }
        }
        let waits = asks.waiting() > 0;
        drop(asks);
        // Its module could not be entered: it does not run, or not any more.
        if waits { std::thread::park_timeout(AGAIN) } else { std::thread::park() }
    }
}

impl Process for Link {
    fn converse(&self, message: &[u8], said: &mut dyn FnMut(&[u8], &mut Vec<u8>) -> Turn) -> Result<(), ModuleError> {
        let began = Instant::now();
        let talked = self.talk(began, message, said);
        if let Err(FrameFault::Crowded { most }) = talked {
            let error =
                format!("{most} conversations with `{}` are under way, and none has ended in time", self.module);
            return Err(ModuleError::new(error));
        }
        let result = talked.map_err(|fault| {
            match fault {
                FrameFault::Closed | FrameFault::Cut { .. } => {}
                FrameFault::Late => self.blame(self.late()),
                fault => self.blame(format!("it was not understood: {fault}")),
            }
            ModuleError::Crashed { module: self.module.to_string(), cause: self.cause() }
        });
        // What is said to one that is gone fails with it.
        let failed = result.is_err() && !self.failed.swap(true, Ordering::AcqRel);
        let ended = result.as_ref().map_or_else(|_| Instant::now(), |heard| *heard);
        self.meter.converse(ended - began, failed);
        result.map(drop)
    }

    fn may(&self, act: Act<'_>) -> bool {
        self.permits.may(act)
    }

    fn is_there(&self) -> bool {
        Self::is_there(self)
    }

    fn wake(&self) {
        if let Some(delivers) = self.delivers.get() {
            delivers.unpark();
        }
    }
}

impl Drop for Link {
    fn drop(&mut self) {
        self.dismissed.store(true, Ordering::Release);
        self.kill();
        self.wake();
    }
}
