//! The control lane of a link: what is said beside the conversations, and the sockets for these.

use std::io::{self, IoSlice, IoSliceMut, Write};
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use rustix::net::{
    RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, SendAncillaryBuffer, SendAncillaryMessage, SendFlags,
    recvmsg, sendmsg,
};
use serde::{Deserialize, Serialize};

use super::frame::{CHUNK, FrameFault, LONGEST};
use super::sandbox::Sandbox;

/// What both sides say first: this, and the first and the last version of the protocol that they speak, `u16` little-endian.
pub const PREAMBLE: [u8; 12] = *b"helixipc\x01\0\x01\0";

/// From the host.
#[derive(Debug, Serialize, Deserialize)]
pub enum ToProcess {
    /// What it is for. The first message.
    Begin(Begin),
    /// A socket for conversations comes with this frame.
    Channel,
    /// The answer to a question; nothing where it was none.
    Answer {
        /// Which question.
        id: u64,
        /// A `Told`.
        answer: Option<Vec<u8>>,
    },
    /// A program that wanted to join has.
    Welcome {
        /// The module that it is from here on.
        module: String,
        /// Which lines are wanted of the log: up to that level, 0 is none.
        log: usize,
    },
    /// A program that wanted to join may not. The last message.
    Unwelcome {
        /// Why not.
        reason: String,
    },
}

/// What a process is for.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Begin {
    /// The host's process, with which it ends.
    pub host: u32,
    /// The library.
    pub library: PathBuf,
    /// Which build of it.
    pub build: String,
    /// What the process may use.
    pub sandbox: Sandbox,
    /// Which lines are wanted of the log: up to that level, 0 is none.
    pub log: usize,
}

/// From the process.
#[derive(Debug, Serialize, Deserialize)]
pub enum FromProcess {
    /// The module is loaded.
    Ready {
        /// Its table of handlers.
        table: Vec<u8>,
        /// What of the sandbox is in force.
        sandbox: Vec<String>,
    },
    /// It could not be loaded.
    Refused {
        /// Why.
        reason: String,
    },
    /// A question in no conversation.
    Ask {
        /// Which, for the answer.
        id: u64,
        /// An `Up`.
        message: Vec<u8>,
    },
    /// A line for the log.
    Log {
        /// The level, 1 for an error to 5 for a trace.
        level: usize,
        /// What it was written under.
        target: String,
        /// The line.
        text: String,
    },
    /// A program wants to join. The first message of one that no host has made.
    Join(Join),
}

/// What a program says of itself that wants to join.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Join {
    /// What it was given to prove that it may.
    pub token: String,
    /// Its version, `major.minor.patch`.
    pub version: String,
    /// What it is, in a line.
    pub description: String,
    /// The services that it provides.
    pub provides: Vec<String>,
    /// What it asks to be allowed.
    pub permissions: Vec<String>,
}

/// The sending half.
#[derive(Debug)]
pub struct Sender(Mutex<UnixStream>, Option<Duration>);

impl Sender {
    /// Of a socket that blocks: for as long as its writes may take, each message as a whole.
    pub fn new(socket: UnixStream) -> Self {
        let patience = socket.write_timeout().ok().flatten();
        Self(Mutex::new(socket), patience)
    }

    /// Sends a message.
    pub fn send(&self, message: &impl Serialize) -> io::Result<()> {
        self.send_with(message, None)
    }

    /// Sends a message, and a socket with it.
    pub fn send_with(&self, message: &impl Serialize, socket: Option<&UnixStream>) -> io::Result<()> {
        let mut bytes = vec![0; 4];
        bytes = postcard::to_extend(message, bytes).map_err(io::Error::other)?;
        let length = (bytes.len() - 4) as u32;
        bytes[..4].copy_from_slice(&length.to_le_bytes());
        let mut stream = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let mut sent = 0;
        if let Some(socket) = socket {
            let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
            let mut ancillary = SendAncillaryBuffer::new(&mut space);
            let sockets = [socket.as_fd()];
            ancillary.push(SendAncillaryMessage::ScmRights(&sockets));
            sent = sendmsg(&*stream, &[IoSlice::new(&bytes)], &mut ancillary, SendFlags::NOSIGNAL)?;
        }
        let until = self.1.map(|patience| Instant::now() + patience);
        while sent < bytes.len() {
            match stream.write(&bytes[sent..bytes.len().min(sent + CHUNK)]) {
                Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
                Ok(written) => sent += written,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
            if sent < bytes.len() && until.is_some_and(|until| Instant::now() > until) {
                return Err(io::ErrorKind::TimedOut.into());
            }
        }
        Ok(())
    }
}

/// The receiving half: what has come, frame by frame, with the sockets that came with it.
#[derive(Debug, Default)]
pub struct Receiver {
    read: Vec<u8>,
    sockets: Vec<OwnedFd>,
}

impl Receiver {
    /// Reads once what there is.
    pub fn read(&mut self, socket: &UnixStream, takes_sockets: bool) -> Result<(), FrameFault> {
        let found = self.read.len();
        self.read.resize(found + (16 << 10), 0);
        let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(8))];
        let mut ancillary = RecvAncillaryBuffer::new(if takes_sockets { &mut space } else { &mut [] });
        let got =
            recvmsg(socket, &mut [IoSliceMut::new(&mut self.read[found..])], &mut ancillary, RecvFlags::CMSG_CLOEXEC);
        self.read.truncate(found + got.as_ref().map_or(0, |got| got.bytes));
        for message in ancillary.drain() {
            if let RecvAncillaryMessage::ScmRights(sockets) = message {
                self.sockets.extend(sockets);
            }
        }
        match got {
            Ok(got) if got.bytes == 0 => Err(FrameFault::Closed),
            Ok(_) => Ok(()),
            Err(rustix::io::Errno::INTR) => Ok(()),
            Err(rustix::io::Errno::AGAIN) => Err(FrameFault::Late),
            Err(rustix::io::Errno::CONNRESET) => Err(FrameFault::Closed),
            Err(error) => Err(FrameFault::Io(error.into())),
        }
    }

    /// Takes bytes that have come in another way.
    pub fn take(&mut self, bytes: &[u8]) {
        self.read.extend_from_slice(bytes);
    }

    /// The bytes of the preamble, once they are there.
    pub fn preamble(&mut self) -> Option<[u8; 12]> {
        let first = *self.read.first_chunk()?;
        self.read.drain(..first.len());
        Some(first)
    }

    /// The next message that is there as a whole.
    pub fn next<T: for<'a> Deserialize<'a>>(&mut self) -> Result<Option<T>, FrameFault> {
        let Some(length) = self.read.first_chunk() else { return Ok(None) };
        let length = u32::from_le_bytes(*length) as usize;
        if length > LONGEST {
            return Err(FrameFault::TooLong { found: length });
        }
        let Some(bytes) = self.read.get(4..4 + length) else { return Ok(None) };
        let message = postcard::from_bytes(bytes).map_err(|error| FrameFault::Io(io::Error::other(error)))?;
        self.read.drain(..4 + length);
        Ok(Some(message))
    }

    /// The socket that came first, of those that were not taken yet.
    pub fn socket(&mut self) -> Option<UnixStream> {
        if self.sockets.is_empty() { None } else { Some(self.sockets.remove(0).into()) }
    }
}
