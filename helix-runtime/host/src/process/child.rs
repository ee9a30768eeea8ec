//! The process's end: what the hidden verb of the `helix` command does.

use std::collections::HashMap;
use std::fs::File;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use helix_runtime::boundary::{Near, Wire};

use super::control::{Begin, FromProcess, PREAMBLE, Receiver, Sender, ToProcess};
use super::frame::{Channel, FrameFault};
use super::sandbox;
use crate::load;

/// The host, as this process reaches it beside the conversations.
struct Host {
    sender: Sender,
    asked: Mutex<HashMap<u64, mpsc::Sender<Option<Vec<u8>>>>>,
    next: AtomicU64,
    level: usize,
}

impl Host {
    fn ask(&self, message: &[u8]) -> Option<Vec<u8>> {
        let id = self.next.fetch_add(1, Ordering::Relaxed);
        let (answers, answer) = mpsc::channel();
        self.asked.lock().unwrap_or_else(PoisonError::into_inner).insert(id, answers);
        self.sender.send(&FromProcess::Ask { id, message: message.to_vec() }).ok()?;
        answer.recv().ok()?
    }
}

static HOST: OnceLock<Host> = OnceLock::new();

/// What is written to the log goes to the host.
struct Forward;

impl log::Log for Forward {
    fn enabled(&self, metadata: &log::Metadata<'_>) -> bool {
        HOST.get().is_some_and(|host| metadata.level() as usize <= host.level)
    }

    fn log(&self, record: &log::Record<'_>) {
        let Some(host) = HOST.get().filter(|_| self.enabled(record.metadata())) else { return };
        let (target, text) = (record.module_path().unwrap_or(record.target()).into(), record.args().to_string());
        // With the host this process ends.
        let _ = host.sender.send(&FromProcess::Log { level: record.level() as usize, target, text });
    }

    fn flush(&self) {}
}

/// The host is gone, or has been told why this process ends.
struct Gone;

impl From<std::io::Error> for Gone {
    fn from(_: std::io::Error) -> Self {
        Self
    }
}

impl From<FrameFault> for Gone {
    fn from(_: FrameFault) -> Self {
        Self
    }
}

/// Serves a module to the host at the other end of standard input, until that is closed.
pub fn serve() -> ! {
    std::process::exit(if begin().is_ok() { 0 } else { 4 })
}

fn begin() -> Result<(), Gone> {
    sandbox::close_inherited()?;
    let socket = UnixStream::from(std::io::stdin().as_fd().try_clone_to_owned()?);
    // What reads standard input finds nothing there.
    rustix::stdio::dup2_stdin(std::fs::File::open("/dev/null")?).map_err(std::io::Error::from)?;
    std::io::Write::write_all(&mut &socket, &PREAMBLE)?;
    let mut receiver = Receiver::default();
    let begin = first(&socket, &mut receiver)?;
    let ends_with = rustix::process::set_parent_process_death_signal(Some(rustix::process::Signal::KILL));
    ends_with.map_err(std::io::Error::from)?;
    // It may have ended before that.
    let parent = rustix::process::getppid().map(|pid| pid.as_raw_nonzero().get().unsigned_abs());
    if parent != Some(begin.host) {
        return Err(Gone);
    }
    let sender = Sender::new(socket.try_clone()?);
    let refused = |reason: String| {
        // Whoever is gone need not be told.
        let _ = sender.send(&FromProcess::Refused { reason });
        Gone
    };
    let sandbox =
        sandbox::close(&begin.sandbox, &begin.library).map_err(|reason| refused(format!("the sandbox: {reason}")))?;
    let loaded = load::load_here(&begin.library).map_err(|fault| refused(fault.to_string()))?;
    if loaded.build.to_string() != begin.build {
        return Err(refused(format!("found build {} of the library, expected {}", loaded.build, begin.build)));
    }
    let host = HOST.get_or_init(|| Host { sender, asked: Mutex::default(), next: AtomicU64::new(1), level: begin.log });
    let _ = log::set_logger(&Forward);
    log::set_max_level(log::LevelFilter::Trace);
    let near = Near::new(loaded.descriptor, Box::new(|message| HOST.get()?.ask(message)));
    host.sender.send(&FromProcess::Ready { table: near.table(), sandbox })?;
    listen(&socket, receiver, host, &near)
}

/// What the host says first.
fn first(socket: &UnixStream, receiver: &mut Receiver) -> Result<Begin, Gone> {
    let mut greeted = false;
    loop {
        receiver.read(socket, true)?;
        if !greeted {
            match receiver.preamble() {
                Some(PREAMBLE) => greeted = true,
                Some(_) => return Err(Gone),
                None => continue,
            }
        }
        match receiver.next()? {
            Some(ToProcess::Begin(begin)) => return Ok(begin),
            Some(_) => return Err(Gone),
            None => {}
        }
    }
}

/// Takes what the host says beside the conversations, until it is gone.
fn listen(socket: &UnixStream, mut receiver: Receiver, host: &Host, near: &Arc<Near>) -> Result<(), Gone> {
    loop {
        while let Some(message) = receiver.next()? {
            match message {
                // It was made for one host, and joins none.
                ToProcess::Begin(_) | ToProcess::Welcome { .. } | ToProcess::Unwelcome { .. } => return Err(Gone),
                ToProcess::Channel => {
                    // As a file: what is read and written has nothing in it that the sandbox must look at.
                    let channel = Channel::patient(File::from(OwnedFd::from(receiver.socket().ok_or(Gone)?)));
                    let near = near.clone();
                    std::thread::Builder::new().name("helix-channel".into()).spawn(move || converse(channel, &near))?;
                }
                ToProcess::Answer { id, answer } => {
                    let asked = host.asked.lock().unwrap_or_else(PoisonError::into_inner).remove(&id);
                    // Whoever has asked may have ended.
                    if let Some(asked) = asked {
                        let _ = asked.send(answer);
                    }
                }
            }
        }
        match receiver.read(socket, true) {
            Err(FrameFault::Closed) => return Ok(()),
            read => read?,
        }
    }
}

/// Holds one conversation after the other, until the host closes the channel.
fn converse(mut channel: Channel<File>, near: &Near) {
    struct Asked<'a>(&'a mut Channel<File>);
    impl Wire for Asked<'_> {
        fn ask(&mut self, message: &[u8]) -> Option<Vec<u8>> {
            self.0.send(message).ok()?;
            self.0.receive().ok().map(<[u8]>::to_vec)
        }
    }
    loop {
        let Ok(message) = channel.receive().map(<[u8]>::to_vec) else { return };
        let done = near.converse(&message, &mut Asked(&mut channel));
        if channel.send(&done).is_err() {
            return;
        }
    }
}
