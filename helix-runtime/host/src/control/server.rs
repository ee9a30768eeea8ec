//! The host's end: a thread that listens, and one for each that asks.

use std::fs;
use std::io::{self, BufReader};
use std::os::unix::fs::{DirBuilderExt, PermissionsExt};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc::{RecvTimeoutError, TrySendError, sync_channel};
use std::thread::JoinHandle;
use std::time::Duration;

use helix_runtime::{Event, EventResponse, EventSubscription, EventTopic};
use serde::Serialize;
use serde_json::{Value, json};

use super::protocol::{self, Answer, Fault, VERSION, Verb};
use crate::host::{Host, HostFault, LogBook};
use crate::value;

/// A host's control socket, as long as it is there.
#[derive(Debug)]
pub struct Server {
    path: PathBuf,
    ended: Arc<AtomicBool>,
    listener: Option<JoinHandle<()>>,
}

/// Why a host cannot be controlled.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ControlFault {
    /// Another one is there already.
    #[error("{}: a host is running there already; stop it, or name another socket with `--socket`", .0.display())]
    Taken(PathBuf),
    /// The directory can be used by others.
    #[error("{}: others than its owner may use the directory (mode {mode:o}); expected 700", .path.display())]
    Open {
        /// The directory.
        path: PathBuf,
        /// Its mode.
        mode: u32,
    },
    /// The system refuses.
    #[error("{}: {error}", .path.display())]
    Io {
        /// The socket.
        path: PathBuf,
        /// What the system says.
        error: io::Error,
    },
}

/// How many may ask at once.
const MOST: usize = 32;
/// How long whoever has connected may take to ask.
const PATIENCE: Duration = Duration::from_secs(10);
/// How many events wait for whoever listens to them.
const WAITING: usize = 1024;

impl Server {
    /// Listens for questions to a host.
    ///
    /// # Errors
    /// When another host does so already, or the socket cannot be made for its owner alone.
    pub fn new(host: Arc<Host>, path: &Path) -> Result<Self, ControlFault> {
        let io = |error| ControlFault::Io { path: path.into(), error };
        if let Some(folder) = path.parent() {
            fs::DirBuilder::new().recursive(true).mode(0o700).create(folder).map_err(io)?;
            let mode = fs::metadata(folder).map_err(io)?.permissions().mode() & 0o777;
            if mode & 0o077 != 0 {
                return Err(ControlFault::Open { path: folder.into(), mode });
            }
        }
        if path.exists() {
            if UnixStream::connect(path).is_ok() {
                return Err(ControlFault::Taken(path.into()));
            }
            // Of a host that was killed.
            fs::remove_file(path).map_err(io)?;
        }
        let listener = UnixListener::bind(path).map_err(io)?;
        fs::set_permissions(path, fs::Permissions::from_mode(0o600)).map_err(io)?;
        let ended = Arc::new(AtomicBool::new(false));
        let ends = ended.clone();
        let thread = std::thread::Builder::new().name("helix-control".into());
        let listen = move || listen(&listener, &host, &ends);
        let listener = thread.spawn(listen).map_err(io)?;
        Ok(Self { path: path.into(), ended, listener: Some(listener) })
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.ended.store(true, Ordering::Release);
        // It waits for the next that connects.
        drop(UnixStream::connect(&self.path));
        if let Some(listener) = self.listener.take() {
            drop(listener.join());
        }
        drop(fs::remove_file(&self.path));
    }
}

fn listen(listener: &UnixListener, host: &Arc<Host>, ended: &Arc<AtomicBool>) {
    let asking = Arc::new(AtomicUsize::new(0));
    for stream in listener.incoming() {
        if ended.load(Ordering::Acquire) {
            return;
        }
        let Ok(mut stream) = stream else {
            // Such as too many open files: until one is closed.
            std::thread::sleep(Duration::from_millis(10));
            continue;
        };
        if asking.fetch_add(1, Ordering::Relaxed) >= MOST {
            asking.fetch_sub(1, Ordering::Relaxed);
            let message = format!("{MOST} others are asking this host already; try again later");
            drop(protocol::write(&mut stream, &Answer::Fault(Fault { exit: 1, message })));
            continue;
        }
        let (host, ended, asks) = (host.clone(), ended.clone(), asking.clone());
        let answer = move || {
            // Whoever goes away in the middle is not answered.
            drop(answer(&host, &stream, &ended));
            asks.fetch_sub(1, Ordering::Relaxed);
        };
        if std::thread::Builder::new().name("helix-asked".into()).spawn(answer).is_err() {
            asking.fetch_sub(1, Ordering::Relaxed);
        }
    }
}

/// Whether whoever is at the other end may ask.
fn is_owner(stream: &UnixStream) -> bool {
    let own = rustix::process::geteuid();
    rustix::net::sockopt::socket_peercred(stream).is_ok_and(|peer| peer.uid == own || peer.uid.is_root())
}

fn answer(host: &Host, stream: &UnixStream, ended: &AtomicBool) -> io::Result<()> {
    let mut to = stream;
    let refuse = |message: String, exit| Answer::Fault(Fault { exit, message });
    if !is_owner(stream) {
        return protocol::write(&mut to, &refuse("found another user, expected the host's owner".into(), 4));
    }
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))?;
    let question = match protocol::read_question(&mut BufReader::new(stream)) {
        Ok(Some(question)) => question,
        Ok(None) => return Ok(()),
        Err(error) => return protocol::write(&mut to, &refuse(format!("a question that is none: {error}"), 2)),
    };
    if question.helix != VERSION {
        let found = question.helix;
        let message =
            format!("found version {found} of the control protocol, expected {VERSION}; use the `helix` of this host");
        return protocol::write(&mut to, &refuse(message, 2));
    }
    let mut tell = |value: Value| protocol::write(&mut to, &Answer::Data(value));
    let last = match do_verb(host, question.verb, &mut tell, stream, ended) {
        Ok(()) => Answer::Done(()),
        Err(Trouble::Fault(fault)) => refuse(fault.to_string(), fault.exit()),
        Err(Trouble::Io(error)) => return Err(error),
    };
    protocol::write(&mut to, &last)
}

enum Trouble {
    Fault(Box<HostFault>),
    /// Whoever has asked is gone.
    Io(io::Error),
}

impl<F: Into<HostFault>> From<F> for Trouble {
    fn from(fault: F) -> Self {
        Self::Fault(Box::new(fault.into()))
    }
}

fn data(value: impl Serialize) -> Value {
    serde_json::to_value(value).unwrap_or_default()
}

fn do_verb(
    host: &Host,
    verb: Verb,
    tell: &mut dyn FnMut(Value) -> io::Result<()>,
    stream: &UnixStream,
    ended: &AtomicBool,
) -> Result<(), Trouble> {
    let value = match verb {
        Verb::Ls => data(host.modules()),
        Verb::Why { module } => data(host.why(&module)),
        Verb::Graph => data(host.graph()),
        Verb::Health => data(host.health()),
        Verb::Stats => data(host.stats()),
        Verb::Info { module } => data(host.info(&module)?),
        Verb::Call { request, args } => host.call(&request, &args)?,
        Verb::Emit { event, args } => {
            let heard = host.emit(&event, &args)?;
            let first_error = heard.first_error.map(|(module, error)| format!("{module}: {error}"));
            json!({
                "handled": heard.handled, "ignored": heard.ignored, "deferred": heard.deferred,
                "queued": heard.queued, "failed": heard.failed, "dropped": heard.dropped, "first_error": first_error,
            })
        }
        Verb::Events { filter } => return events(host, filter, tell, stream, ended).map_err(Trouble::Io),
        Verb::Logs { module, follow } => {
            return logs(host.log(), module, follow, tell, stream, ended).map_err(Trouble::Io);
        }
        Verb::Load { path } => json!({ "loaded": host.load(&path)? }),
        Verb::Start { module } => {
            host.start_module(&module)?;
            json!({ "started": module })
        }
        Verb::Stop { module } => {
            host.stop_module(&module)?;
            json!({ "stopped": module })
        }
        Verb::Unload { module } => {
            host.unload(&module)?;
            json!({ "unloaded": module })
        }
        Verb::Reload { module, path } => data(host.reload(&module, path.as_deref())?),
    };
    tell(value).map_err(Trouble::Io)
}

/// Whether whoever has asked is still there: they have nothing more to say, so that what is read is the end.
fn is_gone(stream: &UnixStream) -> bool {
    let mut byte = [0];
    let peeked = rustix::net::recv(stream, &mut byte, rustix::net::RecvFlags::PEEK | rustix::net::RecvFlags::DONTWAIT);
    matches!(peeked, Ok((_, 0)))
}

const LOOK: Duration = Duration::from_millis(100);

fn events(
    host: &Host,
    filter: Option<String>,
    tell: &mut dyn FnMut(Value) -> io::Result<()>,
    stream: &UnixStream,
    ended: &AtomicBool,
) -> io::Result<()> {
    let (hears, heard) = sync_channel::<Value>(WAITING);
    let lost = Arc::new(AtomicUsize::new(0));
    let loses = lost.clone();
    let handler = move |event: &Event| {
        if filter.as_ref().is_some_and(|filter| event.name() != filter && event.topic() != filter) {
            return EventResponse::Ignored;
        }
        if let Err(TrySendError::Full(_)) = hears.try_send(shown(event)) {
            loses.fetch_add(1, Ordering::Relaxed);
        }
        EventResponse::Ignored
    };
    let subscription = EventSubscription::new("helix events", vec![EventTopic::All], Box::new(handler));
    let Ok(id) = host.runtime().subscribe(subscription) else { return Ok(()) };
    let mut told = || loop {
        match heard.recv_timeout(LOOK) {
            Ok(event) => tell(event)?,
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => return Ok(()),
        }
        let lost = lost.swap(0, Ordering::Relaxed);
        if lost > 0 {
            tell(json!({ "lost": lost }))?;
        }
        if ended.load(Ordering::Acquire) || is_gone(stream) {
            return Ok(());
        }
    };
    let result = told();
    // It may be gone with its runtime.
    drop(host.runtime().unsubscribe(id));
    result
}

/// An event as JSON.
fn shown(event: &Event) -> Value {
    let value = match (event.encode(), event) {
        (Some((shape, bytes)), _) => value::decode(shape, &bytes).unwrap_or_default(),
        (None, Event::Custom(custom)) => match custom.data() {
            Some(bytes) => json!({ "bytes": String::from_utf8_lossy(bytes) }),
            None => Value::Null,
        },
        (None, _) => Value::Null,
    };
    json!({ "event": event.name(), "topic": event.topic(), "value": value })
}

fn logs(
    log: Option<&'static LogBook>,
    module: Option<String>,
    follow: bool,
    tell: &mut dyn FnMut(Value) -> io::Result<()>,
    stream: &UnixStream,
    ended: &AtomicBool,
) -> io::Result<()> {
    let Some(book) = log else { return Ok(()) };
    let mut number = 0;
    loop {
        for line in book.after(number, None) {
            if line.number > number + 1 && number > 0 {
                tell(json!({ "lost": line.number - number - 1 }))?;
            }
            number = line.number;
            if module.as_ref().is_none_or(|module| line.module == *module) {
                tell(data(line))?;
            }
        }
        if !follow || ended.load(Ordering::Acquire) || is_gone(stream) {
            return Ok(());
        }
        book.wait(number, LOOK);
    }
}
