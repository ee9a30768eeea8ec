//! What is to be posted, by a thread of its own: HTTP/1.1 over TCP, a connection for each.

use std::collections::BTreeMap;
use std::io::{self, BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use helix_runtime::prelude::*;
use node_contracts::Count;

/// How many wait at most: more are refused, and whoever wants to tell them hears so.
const ROOM: usize = 256;
/// How long the other side may take for each step.
const PATIENCE: Duration = Duration::from_secs(2);

/// Where to post.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Url {
    address: SocketAddr,
    path: String,
}

impl Url {
    /// What [`parse`](Self::parse) takes.
    pub const EXPECTED: &str = "an address such as http://127.0.0.1:8080/governance";

    /// Reads an address without a name in it: whoever is in a sandbox asks nobody for names.
    pub fn parse(text: &str) -> Option<Self> {
        let rest = text.strip_prefix("http://")?;
        let (address, path) = rest.split_once('/').unwrap_or((rest, ""));
        let is_plain = |byte: u8| byte.is_ascii_graphic();
        path.bytes().all(is_plain).then_some(())?;
        Some(Self { address: address.parse().ok()?, path: format!("/{path}") })
    }
}

/// What the thread and the module share.
#[derive(Debug, Default)]
struct Shared {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct State {
    waiting: usize,
    counts: BTreeMap<String, u64>,
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What waits to be posted. Dropping it lets what waits be posted first.
#[derive(Debug)]
pub struct Outbox {
    sends: Option<SyncSender<(Url, String)>>,
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

impl Outbox {
    /// Begins to post.
    pub fn open() -> io::Result<Self> {
        let (sends, posts) = sync_channel(ROOM);
        let shared = Arc::<Shared>::default();
        let thread = std::thread::Builder::new().name("outbox".into());
        let shares = shared.clone();
        let thread = thread.spawn(move || post_all(&posts, &shares))?;
        Ok(Self { sends: Some(sends), shared, thread: Some(thread) })
    }

    /// Puts one more there.
    pub fn put(&self, url: Url, body: String) -> Result<(), ModuleError> {
        let Some(sends) = &self.sends else { return Err("the outbox is closed".into()) };
        self.shared.state().waiting += 1;
        sends.try_send((url, body)).map_err(|error| {
            self.shared.state().waiting -= 1;
            match error {
                TrySendError::Full(_) => format!("the outbox is full: {ROOM} wait already").into(),
                TrySendError::Disconnected(_) => "the outbox has ended".into(),
            }
        })
    }

    /// Waits until nothing waits any more, but not longer than that.
    pub fn flush(&self, time: Duration) -> Result<(), ModuleError> {
        let waits = |state: &mut State| state.waiting > 0;
        let (state, timeout) = self
            .shared
            .changed
            .wait_timeout_while(self.shared.state(), time, waits)
            .unwrap_or_else(PoisonError::into_inner);
        match timeout.timed_out() {
            true => Err(format!("{} still wait to be posted after {time:?}", state.waiting).into()),
            false => Ok(()),
        }
    }

    /// How often which address was posted to, or could not be.
    pub fn counts(&self) -> Vec<Count> {
        let counts = self.shared.state().counts.clone();
        counts.into_iter().map(|(what, times)| Count { what, times }).collect()
    }
}

impl Drop for Outbox {
    fn drop(&mut self) {
        self.sends = None;
        if let Some(thread) = self.thread.take() {
            // What panicked in it was told where it did.
            drop(thread.join());
        }
    }
}

fn post_all(posts: &Receiver<(Url, String)>, shared: &Shared) {
    for (url, body) in posts {
        let outcome = match post(&url, &body) {
            Ok(()) => "posted to",
            Err(_) => "could not post to",
        };
        let mut state = shared.state();
        *state.counts.entry(format!("{outcome} {}", url.address)).or_default() += 1;
        state.waiting -= 1;
        shared.changed.notify_all();
    }
}

fn post(url: &Url, body: &str) -> io::Result<()> {
    let mut stream = TcpStream::connect_timeout(&url.address, PATIENCE)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))?;
    let Url { address, path } = url;
    let length = body.len();
    let head = format!(
        "POST {path} HTTP/1.1\r\nHost: {address}\r\nContent-Type: application/json\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n"
    );
    stream.write_all((head + body).as_bytes())?;
    let mut status = String::new();
    BufReader::new(stream).read_line(&mut status)?;
    match status.strip_prefix("HTTP/1.1 2") {
        Some(_) => Ok(()),
        None => Err(io::Error::other(format!("found {status:?}, expected HTTP/1.1 2.."))),
    }
}

#[cfg(test)]
mod tests {
    use super::Url;

    #[test]
    fn an_address_is_read_and_what_is_none_is_not() {
        let url = Url::parse("http://127.0.0.1:80/a/b").unwrap();
        assert_eq!((url.address.port(), url.path.as_str()), (80, "/a/b"));
        assert_eq!(Url::parse("http://127.0.0.1:80").unwrap().path, "/");
        for text in
            ["https://127.0.0.1:80/", "http://localhost:80/", "http://127.0.0.1/", "", "http://127.0.0.1:80/a b"]
        {
            assert_eq!(Url::parse(text), None, "{text}");
        }
    }
}
