//! A listener on this machine that is told things by HTTP, and remembers them.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

/// How long a body may be, in bytes.
const LONGEST: usize = 64 << 10;
/// How long who has connected may take.
const PATIENCE: Duration = Duration::from_secs(2);

/// A listener, on a port that the system has chosen.
#[derive(Debug)]
pub struct Webhook {
    address: SocketAddr,
    received: Arc<Mutex<Vec<String>>>,
    ended: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Webhook {
    /// Listens from now on.
    pub fn open() -> io::Result<Self> {
        let listener = TcpListener::bind(("127.0.0.1", 0))?;
        let (address, received, ended) = (listener.local_addr()?, Arc::default(), Arc::default());
        let mut webhook = Self { address, received, ended, thread: None };
        let (received, ended) = (webhook.received.clone(), webhook.ended.clone());
        let listen = move || {
            while let Ok((stream, _)) = listener.accept() {
                if ended.load(Ordering::Acquire) {
                    return;
                }
                // Who sends garbage is not answered.
                if let Ok(body) = receive(&stream) {
                    received.lock().unwrap_or_else(PoisonError::into_inner).push(body);
                }
            }
        };
        webhook.thread = Some(std::thread::Builder::new().name("webhook".into()).spawn(listen)?);
        Ok(webhook)
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// What it was told so far.
    pub fn received(&self) -> Vec<String> {
        self.received.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Drop for Webhook {
    fn drop(&mut self) {
        self.ended.store(true, Ordering::Release);
        // Wakes the thread, which waits for somebody to connect.
        let is_awake = TcpStream::connect(self.address).is_ok();
        if let Some(thread) = self.thread.take().filter(|_| is_awake) {
            drop(thread.join());
        }
    }
}

/// The body of a POST, which is acknowledged.
fn receive(mut stream: &TcpStream) -> io::Result<String> {
    let malformed = |found: &str| io::Error::new(io::ErrorKind::InvalidData, found.to_string());
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))?;
    let mut lines = BufReader::new(stream.take(LONGEST as u64));
    let (mut line, mut length) = (String::new(), None);
    lines.read_line(&mut line)?;
    if !line.starts_with("POST ") {
        return Err(malformed(&line));
    }
    loop {
        line.clear();
        lines.read_line(&mut line)?;
        match line.trim_end().split_once(':') {
            Some((name, value)) if name.eq_ignore_ascii_case("content-length") => {
                length = value.trim().parse::<usize>().ok().filter(|length| *length <= LONGEST);
            }
            Some(_) => {}
            None => break,
        }
    }
    let mut body = vec![0; length.ok_or_else(|| malformed("no length"))?];
    lines.read_exact(&mut body)?;
    stream.write_all(b"HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n")?;
    String::from_utf8(body).map_err(|_| malformed("no UTF-8"))
}
