//! Frames over a socket: the length as a `u32`, little-endian, and so many bytes.

use std::io::{self, Read, Write};
use std::os::unix::net::UnixStream;
use std::time::Duration;

/// How long a frame can be, in bytes.
pub const LONGEST: usize = 16 << 20;

/// Why there is no frame.
#[derive(Debug, thiserror::Error)]
pub enum FrameFault {
    /// The other end is closed, between two frames.
    #[error("the other end has closed the socket")]
    Closed,
    /// It was closed in the middle of a frame.
    #[error("a frame is cut off: found {found} bytes of it, expected {expected}")]
    Cut {
        /// How many bytes there are.
        found: usize,
        /// How many were announced.
        expected: usize,
    },
    /// It would be too long.
    #[error("a frame of {found} bytes was announced, expected {LONGEST} at most")]
    TooLong {
        /// How many bytes were announced.
        found: usize,
    },
    /// Nothing has come in time.
    #[error("no answer in time")]
    Late,
    /// The system refuses.
    #[error(transparent)]
    Io(#[from] io::Error),
}

/// One end of a socket on which one side speaks at a time.
#[derive(Debug)]
pub struct Channel {
    socket: UnixStream,
    /// What was read; the first `taken` bytes of it were given out.
    read: Vec<u8>,
    taken: usize,
    written: Vec<u8>,
}

const CHUNK: usize = 64 << 10;

impl Channel {
    /// A channel whose reads wait so long at most.
    pub fn new(socket: UnixStream, patience: Option<Duration>) -> io::Result<Self> {
        socket.set_read_timeout(patience)?;
        Ok(Self { socket, read: Vec::new(), taken: 0, written: Vec::new() })
    }

    /// Sends a frame.
    pub fn send(&mut self, message: &[u8]) -> Result<(), FrameFault> {
        let too_long = FrameFault::TooLong { found: message.len() };
        let length = u32::try_from(message.len()).ok().filter(|_| message.len() <= LONGEST).ok_or(too_long)?;
        self.written.clear();
        self.written.extend_from_slice(&length.to_le_bytes());
        self.written.extend_from_slice(message);
        let done = self.socket.write_all(&self.written).map_err(fault);
        if self.written.capacity() > CHUNK {
            self.written = Vec::new();
        }
        done
    }

    /// Receives the next frame.
    pub fn receive(&mut self) -> Result<&[u8], FrameFault> {
        self.read.drain(..self.taken);
        self.taken = 0;
        while self.read.len() < 4 {
            self.more(4)?;
        }
        let length = u32::from_le_bytes([self.read[0], self.read[1], self.read[2], self.read[3]]) as usize;
        if length > LONGEST {
            return Err(FrameFault::TooLong { found: length });
        }
        while self.read.len() < 4 + length {
            self.more(4 + length)?;
        }
        self.taken = 4 + length;
        Ok(&self.read[4..self.taken])
    }

    /// Reads what there is: never room for more than a chunk, whatever was announced.
    fn more(&mut self, expected: usize) -> Result<(), FrameFault> {
        let found = self.read.len();
        self.read.resize(found + CHUNK, 0);
        let result = self.socket.read(&mut self.read[found..]);
        self.read.truncate(found + result.as_ref().copied().unwrap_or(0));
        match result {
            Ok(0) if found == 0 => Err(FrameFault::Closed),
            Ok(0) => Err(FrameFault::Cut { found, expected }),
            Ok(_) => Ok(()),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => Ok(()),
            Err(error) => Err(fault(error)),
        }
    }
}

fn fault(error: io::Error) -> FrameFault {
    match error.kind() {
        io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut => FrameFault::Late,
        io::ErrorKind::BrokenPipe | io::ErrorKind::ConnectionReset => FrameFault::Closed,
        _ => FrameFault::Io(error),
    }
}
