//! The thread of a link: it makes the process, takes what that says beside the conversations, and sees how it ends.

use std::io;
use std::os::unix::net::UnixStream;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::mpsc;
use std::sync::{Arc, Condvar, Mutex, OnceLock, Weak};
use std::time::{Duration, Instant};

use helix_runtime::ModuleError;
use rustix::event::{PollFd, PollFlags, poll};
use rustix::process::{Pid, PidfdFlags, Signal, kill_process_group, pidfd_open};

use super::channels::Channels;
use super::drained::Drained;
use super::{EndBy, GRACE, Link, MOST_ASKS, Order, locked};
use crate::process::control::{FromProcess, PREAMBLE, Receiver, Sender, ToProcess};
use crate::process::frame::FrameFault;

/// How soon it looks again whether fewer questions wait.
const CROWDED: Duration = Duration::from_millis(1);

/// How long a process has at least to be made and to load its module: that is more than a call, and waits for the disk.
const READY: Duration = Duration::from_secs(5);

pub(super) type Made = Result<(Arc<Link>, Vec<u8>), io::Error>;

/// Attends to a process that was made, until it has ended.
pub(super) fn run(made: io::Result<Attending>, tells: &mpsc::Sender<Made>) {
    match made {
        Ok(mut attending) => {
            attending.attend(tells);
            attending.end(tells);
        }
        // Whoever waits for it is told; if nobody does, it is nobody's loss.
        Err(error) => drop(tells.send(Err(error))),
    }
}

/// What the thread of a link looks after.
pub(super) struct Attending {
    module: &'static str,
    /// Nothing where it is no child.
    child: Option<Child>,
    socket: UnixStream,
    receiver: Receiver,
    greeted: bool,
    /// Until it is ready; then its host has it.
    made: Option<Arc<Link>>,
    link: Weak<Link>,
    group: Pid,
    end_by: Arc<EndBy>,
    refused: Option<String>,
    until: Instant,
    asking: Arc<AtomicUsize>,
    out: Drained<std::process::ChildStdout>,
    err: Drained<std::process::ChildStderr>,
}

impl Attending {
    /// Makes a process.
    pub(super) fn new(order: &Order) -> io::Result<Self> {
        let Some((program, begin)) = &order.made else {
            return Err(io::Error::other(
                "it is a program that joins by itself, and has not come again: run it anew, with the token in the file `token` in its directory",
            ));
        };
        let (ours, theirs) = UnixStream::pair()?;
        let mut command = Command::new(program);
        command.arg(crate::process::VERB);
        command.env_clear().current_dir("/").process_group(0);
        command.stdin(Stdio::from(std::os::fd::OwnedFd::from(theirs))).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().map_err(|error| {
            io::Error::new(
                error.kind(),
                format!("{}, which serves modules (`command` in the table [host]): {error}", program.display()),
            )
        })?;
        let group = i32::try_from(child.id()).ok().and_then(Pid::from_raw).ok_or(io::ErrorKind::NotFound)?;
        let (out, err) = (child.stdout.take(), child.stderr.take());
        std::io::Write::write_all(&mut &ours, &PREAMBLE)?;
        let end_by = EndBy::Kill(Mutex::default());
        let mut attending = Self::of(order, group, end_by, ours, Receiver::default())?;
        attending.child = Some(child);
        (attending.out, attending.err) = (Drained::new(out, log::Level::Info), Drained::new(err, log::Level::Warn));
        if let Some(made) = &attending.made {
            made.control.send(&ToProcess::Begin(begin.clone()))?;
        }
        Ok(attending)
    }

    /// Attends to a program that has joined: both have said what they speak.
    pub(super) fn joined(order: &Order, socket: UnixStream, receiver: Receiver) -> io::Result<Self> {
        let group = rustix::net::sockopt::socket_peercred(&socket)?.pid;
        let end_by = EndBy::Closing(socket.try_clone()?);
        let mut attending = Self::of(order, group, end_by, socket, receiver)?;
        attending.greeted = true;
        Ok(attending)
    }

    fn of(order: &Order, group: Pid, end_by: EndBy, ours: UnixStream, receiver: Receiver) -> io::Result<Self> {
        // One that does not read what it is told is not waited for.
        ours.set_write_timeout(Some(order.deadline))?;
        let end_by = Arc::new(end_by);
        let made = Arc::new(Link {
            module: order.module,
            deadline: AtomicU64::new(order.deadline.as_millis() as u64),
            permits: order.permits.clone(),
            meter: order.meter.clone(),
            group,
            end_by: end_by.clone(),
            control: Sender::new(ours.try_clone()?),
            channels: Channels::new(order.most_channels()),
            hurried: AtomicBool::new(false),
            asks: OnceLock::new(),
            delivers: OnceLock::new(),
            sandbox: OnceLock::new(),
            failed: AtomicBool::new(false),
            dismissed: AtomicBool::new(false),
            blamed: Mutex::default(),
            end: Mutex::default(),
            ended: Condvar::new(),
        });
        Ok(Self {
            module: order.module,
            child: None,
            socket: ours,
            receiver,
            greeted: false,
            link: Arc::downgrade(&made),
            group,
            end_by,
            made: Some(made),
            refused: None,
            until: Instant::now() + order.deadline.max(READY),
            asking: Arc::default(),
            out: Drained::new(None, log::Level::Info),
            err: Drained::new(None, log::Level::Warn),
        })
    }

    /// Takes what the process says, until it has ended.
    fn attend(&mut self, tells: &mpsc::Sender<Made>) {
        let Ok(process) = pidfd_open(self.group, PidfdFlags::empty()) else { return };
        // What a program has said after it has joined may have come already.
        let mut listens = !self.greeted || self.hear_all(tells).is_some();
        loop {
            if !listens && self.child.is_none() {
                return;
            }
            // Who asks more at once than is answered at once waits.
            let is_crowded = self.is_crowded();
            if listens && !is_crowded && self.hear_all(tells).is_none() {
                listens = false;
            }
            let mut waits = vec![PollFd::new(&process, PollFlags::IN)];
            let hears = listens && !is_crowded;
            if hears {
                waits.push(PollFd::new(&self.socket, PollFlags::IN));
            }
            waits.extend(self.out.stream.as_ref().map(|stream| PollFd::new(stream, PollFlags::IN)));
            waits.extend(self.err.stream.as_ref().map(|stream| PollFd::new(stream, PollFlags::IN)));
            let patience = self.made.is_some().then(|| self.until.saturating_duration_since(Instant::now()));
            let patience = if is_crowded && listens { Some(CROWDED) } else { patience };
            let patience = patience.and_then(|patience| rustix::event::Timespec::try_from(patience).ok());
            let ready = match poll(&mut waits, patience.as_ref()) {
                Err(rustix::io::Errno::INTR) => continue,
                Err(_) => return,
                Ok(ready) => ready,
            };
            let is_ready: Vec<bool> = waits.iter().map(|wait| !wait.revents().is_empty()).collect();
            drop(waits);
            if ready == 0 {
                if is_crowded && (self.made.is_none() || Instant::now() < self.until) {
                    continue;
                }
                if let Some(link) = &self.made {
                    link.blame(format!("it was not ready after {:?}", link.deadline().max(READY)));
                    self.until += GRACE;
                }
                continue;
            }
            let mut at = 1;
            if hears {
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
        match self.receiver.read(&self.socket, false) {
            Ok(()) => {}
            Err(FrameFault::Late) => return Some(()),
            Err(FrameFault::Closed) => return None,
            Err(fault) => {
                self.garbage(&fault);
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
                    self.garbage(&FrameFault::Io(io::Error::other(found)));
                    return None;
                }
                None => return Some(()),
            }
        }
        self.hear_all(tells)
    }

    /// Takes the messages that are there as a whole. Nothing when no more will come.
    fn hear_all(&mut self, tells: &mpsc::Sender<Made>) -> Option<()> {
        if !self.greeted {
            return Some(());
        }
        while !self.is_crowded() {
            match self.receiver.next() {
                Ok(Some(message)) => self.hear(message, tells),
                Ok(None) => return Some(()),
                Err(fault) => {
                    self.garbage(&fault);
                    return None;
                }
            }
        }
        Some(())
    }

    /// Whether as many of its questions wait as are answered at a time.
    fn is_crowded(&self) -> bool {
        self.asking.load(Ordering::Acquire) >= MOST_ASKS
    }

    fn garbage(&self, fault: &FrameFault) {
        if let Some(link) = self.link.upgrade() {
            link.blame(format!("it was not understood: {fault}"));
        }
    }

    fn hear(&mut self, message: FromProcess, tells: &mpsc::Sender<Made>) {
        match message {
            FromProcess::Ready { table, sandbox } => {
                if let Some(link) = self.made.take() {
                    log::debug!(target: self.module, "its process is {}: {}", link.pid(), sandbox.join(", "));
                    // A process tells it once. Around who is no child there is none, whatever it says.
                    let _ = link.sandbox.set(if self.child.is_some() { sandbox } else { Vec::new() });
                    drop(tells.send(Ok((link, table))));
                }
            }
            FromProcess::Refused { reason } => self.refused = Some(reason),
            // It has joined already, or was made for this.
            FromProcess::Join(_) => self.garbage(&FrameFault::Io(io::Error::other("it wants to join again"))),
            FromProcess::Log { level, target, text } => {
                let level = log::Level::iter().find(|known| *known as usize == level).unwrap_or(log::Level::Error);
                let mut record = log::Record::builder();
                record.level(level).target(self.module).module_path(Some(&target));
                if level <= log::max_level() {
                    let text = super::drained::plain(&text);
                    log::logger().log(&record.args(format_args!("{text}")).build());
                }
            }
            FromProcess::Ask { id, message } => {
                let Some(link) = self.link.upgrade() else { return };
                self.asking.fetch_add(1, Ordering::AcqRel);
                let asking = self.asking.clone();
                let answer = move || {
                    let asks = link.asks.get().and_then(Weak::upgrade);
                    let answer = asks.and_then(|asks| asks.asked(&message));
                    drop(message);
                    // A process that is gone wants no answer; one that does not read it is ended.
                    if let Err(error) = link.control.send(&ToProcess::Answer { id, answer })
                        && matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut)
                    {
                        link.blame("it has not read its answers".into());
                    }
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
        let status = self.child.as_mut().map(|child| {
            // Others in its group go with it.
            let _ = kill_process_group(self.group, Signal::KILL);
            if let EndBy::Kill(buried) = &*self.end_by {
                *locked(buried) = true;
            }
            child.wait()
        });
        let _ = self.socket.shutdown(std::net::Shutdown::Both);
        // What it has printed is there; somebody whom it has left behind may hold the other end open.
        self.out.drain_rest(self.module);
        self.err.drain_rest(self.module);
        let _ = self.listen(tells);
        // A host that has dismissed it does not ask why it has ended.
        let Some(link) = self.link.upgrade() else { return };
        let told = locked(&link.blamed).clone().or(self.refused.take());
        let status = || match status {
            Some(status) => status.map_or_else(|error| error.to_string(), |status| how(&status)),
            None => "it has gone, or has closed its end of the socket".into(),
        };
        let cause = told.unwrap_or_else(status);
        let is_full = self.err.last.iter().any(|line| line.contains("memory allocation of"));
        let cause = if is_full { format!("{cause}: it has used up its memory (`memory_mib`)") } else { cause };
        let lines = self.err.last.iter().map(|line| format!("\n  {line}")).collect::<String>();
        let cause = format!("{cause}{lines}");
        if self.made.take().is_some() {
            drop(tells.send(Err(io::Error::other(cause))));
            return;
        }
        *locked(&link.end) = Some(cause);
        link.ended.notify_all();
        if !link.dismissed.load(Ordering::Acquire) {
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
        (Signal::XCPU, "SIGXCPU: it has used up its processor time (`cpu_seconds`)"),
    ];
    let known = names.iter().find(|(known, _)| known.as_raw() == signal);
    known.map_or_else(|| format!("signal {signal}"), |(_, name)| (*name).into())
}
