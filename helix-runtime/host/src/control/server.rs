//! The host's end: one question at a time of each that asks.

use std::io::{self, BufReader};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc::{RecvTimeoutError, TrySendError, sync_channel};
use std::time::Duration;

use helix_runtime::{Event, EventResponse, EventSubscription, EventTopic};
use rustix::event::{PollFd, PollFlags, Timespec};
use serde::Serialize;
use serde_json::{Value, json};

use super::protocol::{self, Answer, Fault, VERSION, Verb};
use crate::host::{Host, HostFault, LogBook};
use crate::socket::{Bound, ControlFault, Listening, is_owner};
use crate::value;

/// A host's control socket, as long as it is there.
#[derive(Debug)]
pub struct Server {
    _listening: Listening,
}

/// How many may ask at once.
const MOST: usize = 32;
/// How long whoever has connected may take to ask.
const PATIENCE: Duration = Duration::from_secs(10);
/// How many events wait for whoever listens to them.
const WAITING: usize = 1024;

impl Bound {
    /// Answers questions to a host.
    ///
    /// # Errors
    /// When the system has no thread for it.
    pub fn serve(self, host: Arc<Host>) -> Result<Server, ControlFault> {
        let answer = move |stream: UnixStream, ended: &AtomicBool| {
            // Whoever goes away in the middle is not answered.
            drop(answer(&host, &stream, ended));
        };
        let turn_away = |mut stream: UnixStream| {
            let message = format!("{MOST} others are asking this host already; try again later");
            drop(protocol::write(&mut stream, &Answer::Fault(Fault { exit: 1, message })));
        };
        Ok(Server { _listening: self.listen("control", MOST, answer, turn_away)? })
    }
}

impl Server {
    /// Makes a socket and answers questions to a host on it.
    ///
    /// # Errors
    /// As [`Bound::new`] and [`Bound::serve`].
    pub fn new(host: Arc<Host>, path: &Path) -> Result<Self, ControlFault> {
        Bound::new(path)?.serve(host)
    }
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
    let mut tell = |value: Value| protocol::answer(&mut to, value);
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
        Verb::Permissions => data(host.permissions()),
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
        Verb::Logs { module: Some(module), .. } if !host.knows(&module) => data(host.info(&module)?),
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

/// Whether whoever has asked is gone. Who has only nothing more to say still listens.
fn is_gone(stream: &UnixStream) -> bool {
    let mut look = [PollFd::new(stream, PollFlags::empty())];
    let polled = rustix::event::poll(&mut look, Some(&Timespec { tv_sec: 0, tv_nsec: 0 }));
    polled.is_err() || look[0].revents().intersects(PollFlags::HUP | PollFlags::ERR)
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
