//! The host's end of one process: its channels, its control lane, and how it ended.

use std::collections::VecDeque;
use std::io::{self, Read};
use std::os::fd::AsFd;
use std::os::unix::net::UnixStream;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, OnceLock, PoisonError, Weak};
use std::time::{Duration, Instant};

use helix_runtime::ModuleError;
use helix_runtime::boundary::{Act, Asks, Process, Turn};
use rustix::event::{PollFd, PollFlags, poll};
use rustix::process::{Pid, PidfdFlags, Signal, kill_process_group, pidfd_open};

use super::control::{Begin, FromProcess, PREAMBLE, Receiver, Sender, ToProcess};
use super::frame::{Channel, FrameFault};
use super::permits::Permits;

/// What a process is made of.
#[derive(Debug, Clone)]
pub struct Order {
    /// The module's name.
    pub module: &'static str,
    /// The program that serves it.
    pub program: PathBuf,
    /// What it is for.
    pub begin: Begin,
    /// How long it may be silent in a conversation.
    pub deadline: Duration,
    /// What it may do.
    pub permits: Arc<Permits>,
}

/// One process, and what is said to it.
#[derive(Debug)]
pub struct Link {
    module: &'static str,
    deadline: Duration,
    permits: Arc<Permits>,
    group: Pid,
    control: Sender,
    /// Channels on which nobody speaks.
    idle: Mutex<Vec<Channel>>,
    speaking: AtomicUsize,
    asks: OnceLock<Weak<dyn Asks>>,
    /// What of its sandbox is in force.
    sandbox: OnceLock<Vec<String>>,
    /// Whether its host has ended it.
    dismissed: AtomicBool,
    /// Why it was ended, where it was for something that it did or did not do.
    blamed: Mutex<Option<String>>,
    end: Mutex<Option<String>>,
    ended: Condvar,
    /// Whether the system has taken its number back.
    buried: Arc<Mutex<bool>>,
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// How long a process that was asked to end has for it.
const GRACE: Duration = Duration::from_secs(2);

/// How many questions of a process's own threads wait for their answers at a time.
const MOST_ASKS: usize = 64;

impl Link {
    /// Makes a process, and waits until its module is loaded. Gives its table of handlers too.
    pub fn spawn(order: &Order) -> Result<(Arc<Self>, Vec<u8>), ModuleError> {
        let (tells, told) = mpsc::channel();
        let module = order.module;
        let failed =
            move |error: io::Error| ModuleError::new(format!("the process of `{module}` could not be made: {error}"));
        let thread = std::thread::Builder::new().name(format!("helix-link-{module}"));
        let order = order.clone();
        // The thread that makes it stays: the system ends a process with the thread that it was made for.
        thread.spawn(move || run(&order, &tells)).map_err(failed)?;
        told.recv().unwrap_or_else(|_| Err(io::Error::other("its thread has ended"))).map_err(failed)
    }

    /// Whom the process's own threads ask.
    pub fn answered_by(&self, asks: Weak<dyn Asks>) {
        // A process serves one instance.
        let _ = self.asks.set(asks);
    }

    /// The process's number.
    pub fn pid(&self) -> u32 {
        self.group.as_raw_nonzero().get().unsigned_abs()
    }

    /// What of its sandbox is in force.
    pub fn sandbox(&self) -> Vec<String> {
        self.sandbox.get().cloned().unwrap_or_default()
    }

    fn channel(&self) -> io::Result<Channel> {
        if let Some(channel) = locked(&self.idle).pop() {
            return Ok(channel);
        }
        let (ours, theirs) = UnixStream::pair()?;
        self.control.send_with(&ToProcess::Channel, Some(&theirs))?;
        Channel::new(ours, Some(self.deadline))
    }

    /// Ends its group, if it is still there: its number may be another one's then.
    fn kill(&self) {
        if !*locked(&self.buried) {
            // It may have ended by itself.
            let _ = kill_process_group(self.group, Signal::KILL);
        }
    }

    /// Ends it for something that it did.
    fn blame(&self, cause: String) {
        locked(&self.blamed).get_or_insert(cause);
        self.kill();
    }

    /// Why it has ended: its thread knows in a moment.
    fn cause(&self) -> String {
        let end = locked(&self.end);
        let (end, _) =
            self.ended.wait_timeout_while(end, GRACE, |end| end.is_none()).unwrap_or_else(PoisonError::into_inner);
        end.clone().unwrap_or_else(|| "it has closed its end of the socket".into())
    }

    fn talk(
        &self,
        channel: &mut Channel,
        message: &[u8],
        said: &mut dyn FnMut(&[u8], &mut Vec<u8>) -> Turn,
    ) -> Result<(), FrameFault> {
        channel.send(message)?;
        let (mut answer, mut patience) = (Vec::new(), self.deadline);
        loop {
            answer.clear();
            let began = Instant::now();
            let message = channel.receive()?;
            // However often it asks: only what it waits for is not its own.
            patience = patience.checked_sub(began.elapsed()).ok_or(FrameFault::Late)?;
            match said(message, &mut answer) {
                Turn::Answer => channel.send(&answer)?,
                Turn::End => return Ok(()),
                Turn::Garbage => return Err(FrameFault::Io(io::Error::other("it speaks another language"))),
            }
        }
    }
}

impl Process for Link {
    fn converse(&self, message: &[u8], said: &mut dyn FnMut(&[u8], &mut Vec<u8>) -> Turn) -> Result<(), ModuleError> {
        self.speaking.fetch_add(1, Ordering::AcqRel);
        let talked = self.channel().map_err(FrameFault::Io).and_then(|mut channel| {
            self.talk(&mut channel, message, said)?;
            locked(&self.idle).push(channel);
            Ok(())
        });
        let result = talked.map_err(|fault| {
            match fault {
                FrameFault::Closed | FrameFault::Cut { .. } => {}
                FrameFault::Late => self.blame(format!("it has not answered for {:?}", self.deadline)),
                fault => self.blame(format!("it was not understood: {fault}")),
            }
            ModuleError::Crashed { module: self.module.to_string(), cause: self.cause() }
        });
        self.speaking.fetch_sub(1, Ordering::AcqRel);
        result
    }

    fn may(&self, act: Act<'_>) -> bool {
        self.permits.may(act)
    }
}

impl Drop for Link {
    fn drop(&mut self) {
        self.dismissed.store(true, Ordering::Release);
        self.kill();
    }
}

/// A stream of the process's, drained line by line into the log.
struct Drained<R> {
    stream: Option<R>,
    level: log::Level,
    partial: Vec<u8>,
    last: VecDeque<String>,
}

/// How many lines are told of when a process crashes, and how long one can be.
const LAST_LINES: usize = 5;
const LONGEST_LINE: usize = 4096;

impl<R: Read + AsFd> Drained<R> {
    fn new(stream: Option<R>, level: log::Level) -> Self {
        Self { stream, level, partial: Vec::new(), last: VecDeque::new() }
    }

    /// Reads once what there is. At the end the stream is let go.
    fn drain(&mut self, module: &str) {
        let mut buffer = [0; 4096];
        let Some(stream) = &mut self.stream else { return };
        match stream.read(&mut buffer) {
            Ok(0) | Err(_) => {
                self.stream = None;
                self.line(module);
            }
            Ok(length) => {
                for byte in &buffer[..length] {
                    match byte {
                        b'\n' => self.line(module),
                        _ => self.partial.push(*byte),
                    }
                    if self.partial.len() >= LONGEST_LINE {
                        self.line(module);
                    }
                }
            }
        }
    }

    fn line(&mut self, module: &str) {
        let line = String::from_utf8_lossy(&std::mem::take(&mut self.partial)).trim_end().to_string();
        if line.is_empty() {
            return;
        }
        log::log!(target: module, self.level, "{line}");
        self.last.push_back(line);
        if self.last.len() > LAST_LINES {
            self.last.pop_front();
        }
    }
}

type Made = Result<(Arc<Link>, Vec<u8>), io::Error>;

/// Makes the process, and attends to it until it has ended.
fn run(order: &Order, tells: &mpsc::Sender<Made>) {
    match Attending::new(order) {
        Ok(mut attending) => {
            attending.attend(tells);
            attending.end(tells);
        }
        // Whoever waits for it is told; if nobody does, it is nobody's loss.
        Err(error) => drop(tells.send(Err(error))),
    }
}

/// What the thread of a link looks after.
struct Attending {
    module: &'static str,
    child: Child,
    socket: UnixStream,
    receiver: Receiver,
    greeted: bool,
    /// Until it is ready; then its host has it.
    made: Option<Arc<Link>>,
    link: Weak<Link>,
    group: Pid,
    buried: Arc<Mutex<bool>>,
    refused: Option<String>,
    until: Instant,
    asking: Arc<AtomicUsize>,
    out: Drained<std::process::ChildStdout>,
    err: Drained<std::process::ChildStderr>,
}

impl Attending {
    fn new(order: &Order) -> io::Result<Self> {
        let (ours, theirs) = UnixStream::pair()?;
        let mut command = Command::new(&order.program);
        command.arg(super::VERB);
        command.env_clear().current_dir("/").process_group(0);
        command.stdin(Stdio::from(std::os::fd::OwnedFd::from(theirs))).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn()?;
        let group = i32::try_from(child.id()).ok().and_then(Pid::from_raw).ok_or(io::ErrorKind::NotFound)?;
        let (out, err) = (child.stdout.take(), child.stderr.take());
        std::io::Write::write_all(&mut &ours, &PREAMBLE)?;
        let buried = Arc::new(Mutex::new(false));
        let made = Arc::new(Link {
            module: order.module,
            deadline: order.deadline,
            permits: order.permits.clone(),
            group,
            control: Sender::new(ours.try_clone()?),
            idle: Mutex::default(),
            speaking: AtomicUsize::new(0),
            asks: OnceLock::new(),
            sandbox: OnceLock::new(),
            dismissed: AtomicBool::new(false),
            blamed: Mutex::default(),
            end: Mutex::default(),
            ended: Condvar::new(),
            buried: buried.clone(),
        });
        made.control.send(&ToProcess::Begin(order.begin.clone()))?;
        Ok(Self {
            module: order.module,
            child,
            socket: ours,
            receiver: Receiver::default(),
            greeted: false,
            link: Arc::downgrade(&made),
            group,
            buried,
            made: Some(made),
            refused: None,
            until: Instant::now() + order.deadline,
            asking: Arc::default(),
            out: Drained::new(out, log::Level::Info),
            err: Drained::new(err, log::Level::Warn),
        })
    }

    /// Takes what the process says, until it has ended.
    fn attend(&mut self, tells: &mpsc::Sender<Made>) {
        let Ok(process) = pidfd_open(self.group, PidfdFlags::empty()) else { return };
        let mut listens = true;
        loop {
            let mut waits = vec![PollFd::new(&process, PollFlags::IN)];
            if listens {
                waits.push(PollFd::new(&self.socket, PollFlags::IN));
            }
            waits.extend(self.out.stream.as_ref().map(|stream| PollFd::new(stream, PollFlags::IN)));
            waits.extend(self.err.stream.as_ref().map(|stream| PollFd::new(stream, PollFlags::IN)));
            let patience = self.made.is_some().then(|| self.until.saturating_duration_since(Instant::now()));
            let patience = patience.and_then(|patience| rustix::event::Timespec::try_from(patience).ok());
            let ready = match poll(&mut waits, patience.as_ref()) {
                Err(rustix::io::Errno::INTR) => continue,
                Err(_) => return,
                Ok(ready) => ready,
            };
            let is_ready: Vec<bool> = waits.iter().map(|wait| !wait.revents().is_empty()).collect();
            drop(waits);
            if ready == 0 {
                if let Some(link) = &self.made {
                    link.blame(format!("it was not ready after {:?}", link.deadline));
                    self.until += GRACE;
                }
                continue;
            }
            let mut at = 1;
            if listens {
                if is_ready[at] && self.listen(tells).is_none() {
                    listens = false;
                }
                at += 1;
            }
            if self.out.stream.is_some() {
                if is_ready[at] {
                    self.out.drain(self.module);
                }
                at += 1;
            }
            if self.err.stream.is_some() && is_ready[at] {
                self.err.drain(self.module);
            }
            if is_ready[0] {
                return;
            }
        }
    }

    /// Takes what there is on the control lane. Nothing when no more will come.
    fn listen(&mut self, tells: &mpsc::Sender<Made>) -> Option<()> {
        let garbage = |link: &Weak<Link>, fault: FrameFault| {
            if let Some(link) = link.upgrade() {
                link.blame(format!("it was not understood: {fault}"));
            }
        };
        match self.receiver.read(&self.socket, false) {
            Ok(()) => {}
            Err(FrameFault::Late) => return Some(()),
            Err(FrameFault::Closed) => return None,
            Err(fault) => {
                garbage(&self.link, fault);
                return None;
            }
        }
        if !self.greeted {
            match self.receiver.preamble() {
                Some(PREAMBLE) => self.greeted = true,
                Some(found) => {
                    let found = format!(
                        "found the preamble {:?}, expected {:?}",
                        found.escape_ascii().to_string(),
                        PREAMBLE.escape_ascii().to_string()
                    );
                    garbage(&self.link, FrameFault::Io(io::Error::other(found)));
                    return None;
                }
                None => return Some(()),
            }
        }
        loop {
            match self.receiver.next() {
                Ok(Some(message)) => self.hear(message, tells),
                Ok(None) => return Some(()),
                Err(fault) => {
                    garbage(&self.link, fault);
                    return None;
                }
            }
        }
    }

    fn hear(&mut self, message: FromProcess, tells: &mpsc::Sender<Made>) {
        match message {
            FromProcess::Ready { table, sandbox } => {
                if let Some(link) = self.made.take() {
                    log::debug!(target: self.module, "its process is {}: {}", self.child.id(), sandbox.join(", "));
                    // A process tells it once.
                    let _ = link.sandbox.set(sandbox);
                    drop(tells.send(Ok((link, table))));
                }
            }
            FromProcess::Refused { reason } => self.refused = Some(reason),
            FromProcess::Log { level, target, text } => {
                let level = log::Level::iter().find(|known| *known as usize == level).unwrap_or(log::Level::Error);
                let mut record = log::Record::builder();
                record.level(level).target(self.module).module_path(Some(&target));
                if level <= log::max_level() {
                    log::logger().log(&record.args(format_args!("{text}")).build());
                }
            }
            FromProcess::Ask { id, message } => {
                let Some(link) = self.link.upgrade() else { return };
                if self.asking.fetch_add(1, Ordering::AcqRel) >= MOST_ASKS {
                    link.blame(format!("more than {MOST_ASKS} of its questions wait"));
                    return;
                }
                let asking = self.asking.clone();
                let answer = move || {
                    let asks = link.asks.get().and_then(Weak::upgrade);
                    let answer = asks.and_then(|asks| asks.asked(&message));
                    drop(message);
                    // A process that is gone wants no answer.
                    let _ = link.control.send(&ToProcess::Answer { id, answer });
                    asking.fetch_sub(1, Ordering::AcqRel);
                };
                let thread = std::thread::Builder::new().name("helix-answer".into()).spawn(answer);
                if thread.is_err() {
                    self.asking.fetch_sub(1, Ordering::AcqRel);
                }
            }
        }
    }

    /// Takes note of how it has ended.
    fn end(mut self, tells: &mpsc::Sender<Made>) {
        // Others in its group go with it.
        let _ = kill_process_group(self.group, Signal::KILL);
        *locked(&self.buried) = true;
        let status = self.child.wait();
        while self.out.stream.is_some() {
            self.out.drain(self.module);
        }
        while self.err.stream.is_some() {
            self.err.drain(self.module);
        }
        let _ = self.listen(tells);
        // A host that has dismissed it does not ask why it has ended.
        let Some(link) = self.link.upgrade() else { return };
        let told = locked(&link.blamed).clone().or(self.refused.take());
        let cause = told.unwrap_or_else(|| status.map_or_else(|error| error.to_string(), |status| how(&status)));
        let lines = self.err.last.iter().map(|line| format!("\n  {line}")).collect::<String>();
        let cause = format!("{cause}{lines}");
        if self.made.take().is_some() {
            drop(tells.send(Err(io::Error::other(cause))));
            return;
        }
        *locked(&link.end) = Some(cause);
        link.ended.notify_all();
        if !link.dismissed.load(Ordering::Acquire) && link.speaking.load(Ordering::Acquire) == 0 {
            let asks = link.asks.get().and_then(Weak::upgrade);
            if let Some(asks) = asks {
                asks.ended(ModuleError::Crashed { module: self.module.to_string(), cause: link.cause() });
            }
        }
    }
}

/// How a process has ended, in words.
fn how(status: &ExitStatus) -> String {
    match (status.code(), status.signal()) {
        (Some(code), _) => format!("its process has exited with {code}"),
        (None, Some(signal)) => format!("its process was killed by {}", name_of(signal)),
        (None, None) => format!("its process has ended: {status}"),
    }
}

fn name_of(signal: i32) -> String {
    let names = [
        (Signal::KILL, "SIGKILL"),
        (Signal::SEGV, "SIGSEGV"),
        (Signal::ABORT, "SIGABRT"),
        (Signal::SYS, "SIGSYS: the sandbox has refused what it did"),
        (Signal::BUS, "SIGBUS"),
        (Signal::ILL, "SIGILL"),
        (Signal::FPE, "SIGFPE"),
        (Signal::TERM, "SIGTERM"),
        (Signal::XCPU, "SIGXCPU: it has used up its processor time"),
    ];
    let known = names.iter().find(|(known, _)| known.as_raw() == signal);
    known.map_or_else(|| format!("signal {signal}"), |(_, name)| (*name).into())
}
