//! Frames over a socket: the length as a `u32`, little-endian, and so many bytes.

use std::io::{self, Read, Write};
use std::os::unix::net::UnixStream;
use std::time::{Duration, Instant};

/// How long a frame can be, in bytes.
pub use helix_runtime::boundary::LONGEST;

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
    /// Too many speak with the other end.
    #[error("{most} conversations are under way")]
    Crowded {
        /// How many there are at most.
        most: usize,
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
pub struct Channel<S = UnixStream> {
    socket: S,
    /// Room for what is read, of which so much is filled, and the first `taken` bytes of that were given out.
    room: Vec<u8>,
    filled: usize,
    taken: usize,
    written: Vec<u8>,
    patience: Option<Duration>,
    /// When the other end has to have read or said what it is to.
    until: Option<Instant>,
}

/// How much room there is at first, and how much more is made at a time, whatever was announced.
const FIRST: usize = 4 << 10;
pub(super) const CHUNK: usize = 64 << 10;

impl Channel {
    /// A channel on which whoever reads or writes waits so long at most.
    pub fn new(socket: UnixStream, patience: Option<Duration>) -> io::Result<Self> {
        let mut channel = Self::patient(socket);
        channel.wait_for(patience)?;
        Ok(channel)
    }

    /// Has whoever reads or writes wait so long at most from here on.
    pub fn wait_for(&mut self, patience: Option<Duration>) -> io::Result<()> {
        if self.patience != patience {
            self.socket.set_read_timeout(patience)?;
            self.socket.set_write_timeout(patience)?;
            self.patience = patience;
        }
        Ok(())
    }
}

impl Channel {
    /// The same where less time is left, if that makes much of a difference: to say so takes two calls of the system.
    pub fn shorten(&mut self, left: Duration) -> io::Result<()> {
        let is_much = self.patience.is_none_or(|patience| left < patience.mul_f32(0.9));
        if is_much { self.wait_for(Some(left.max(Duration::from_millis(1)))) } else { Ok(()) }
    }
}

impl<S: Read + Write> Channel<S> {
    /// A channel on which whoever reads or writes waits for ever.
    pub fn patient(socket: S) -> Self {
        Self { socket, room: vec![0; FIRST], filled: 0, taken: 0, written: Vec::new(), patience: None, until: None }
    }

    /// Sends a frame.
    pub fn send(&mut self, message: &[u8]) -> Result<(), FrameFault> {
        let too_long = FrameFault::TooLong { found: message.len() };
        let length = u32::try_from(message.len()).ok().filter(|_| message.len() <= LONGEST).ok_or(too_long)?;
        self.written.clear();
        self.written.extend_from_slice(&length.to_le_bytes());
        self.written.extend_from_slice(message);
        let done = self.write();
        if self.written.capacity() > CHUNK {
            self.written = Vec::new();
        }
        done
    }

    /// Receives the next frame.
    pub fn receive(&mut self) -> Result<&[u8], FrameFault> {
        self.room.copy_within(self.taken..self.filled, 0);
        self.filled -= self.taken;
        self.taken = 0;
        if self.filled == 0 && self.room.len() > CHUNK {
            self.room = vec![0; FIRST];
        }
        while self.filled < 4 {
            self.more(4)?;
        }
        let length = u32::from_le_bytes([self.room[0], self.room[1], self.room[2], self.room[3]]) as usize;
        if length > LONGEST {
            return Err(FrameFault::TooLong { found: length });
        }
        while self.filled < 4 + length {
            self.more(4 + length)?;
        }
        self.taken = 4 + length;
        Ok(&self.room[4..self.taken])
    }

    /// Writes what was gathered, as fast as the other end reads it.
    fn write(&mut self) -> Result<(), FrameFault> {
        let mut rest = &self.written[..];
        while !rest.is_empty() {
            // Some at a time: the system's own patience begins anew with each piece that is read.
            match self.socket.write(&rest[..rest.len().min(CHUNK)]) {
                Ok(0) => return Err(FrameFault::Closed),
                Ok(written) => rest = &rest[written..],
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(fault(error)),
            }
            if !rest.is_empty() && self.until.is_some_and(|until| Instant::now() > until) {
                return Err(FrameFault::Late);
            }
        }
        Ok(())
    }

    /// The other end has until then, however little it takes or says at a time.
    pub fn until(&mut self, until: Instant) {
        self.until = Some(until);
    }

    /// Reads what there is.
    fn more(&mut self, expected: usize) -> Result<(), FrameFault> {
        if self.filled == self.room.len() {
            self.room.resize(self.filled + CHUNK, 0);
        }
        match self.socket.read(&mut self.room[self.filled..]) {
            Ok(0) if self.filled == 0 => Err(FrameFault::Closed),
            Ok(0) => Err(FrameFault::Cut { found: self.filled, expected }),
            // What comes at once the system's own patience is for.
            Ok(_) if self.filled > 0 && self.until.is_some_and(|until| Instant::now() > until) => Err(FrameFault::Late),
            Ok(read) => {
                self.filled += read;
                Ok(())
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => Ok(()),
            Err(error) => Err(fault(error)),
        }
    }
}

/// Why a read or a write has failed.
pub(super) fn fault(error: io::Error) -> FrameFault {
    match error.kind() {
        io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut => FrameFault::Late,
        io::ErrorKind::BrokenPipe | io::ErrorKind::ConnectionReset => FrameFault::Closed,
        _ => FrameFault::Io(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn ends() -> (UnixStream, Channel) {
        let (raw, other) = UnixStream::pair().unwrap();
        (raw, Channel::new(other, Some(Duration::from_millis(200))).unwrap())
    }

    proptest! {
        #[test]
        fn whatever_is_sent_in_whatever_pieces_arrives(
            messages in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..9000), 1..6),
            cuts in proptest::collection::vec(1_usize..5000, 1..8),
        ) {
            let (mut raw, mut channel) = ends();
            let all: Vec<u8> = messages.iter().flat_map(|message| {
                let length = (message.len() as u32).to_le_bytes();
                length.into_iter().chain(message.iter().copied())
            }).collect();
            std::thread::scope(|scope| {
                scope.spawn(move || {
                    let mut rest = &all[..];
                    for cut in cuts.iter().cycle() {
                        let (now, later) = rest.split_at((*cut).min(rest.len()));
                        raw.write_all(now).unwrap();
                        rest = later;
                        if rest.is_empty() { break }
                    }
                });
                for message in &messages {
                    assert_eq!(channel.receive().unwrap(), &message[..]);
                }
                assert!(matches!(channel.receive(), Err(FrameFault::Closed)));
            });
        }
    }

    #[test]
    fn what_is_no_frame_is_told() {
        let (mut raw, mut channel) = ends();
        raw.write_all(&u32::MAX.to_le_bytes()).unwrap();
        assert!(matches!(channel.receive(), Err(FrameFault::TooLong { found }) if found == u32::MAX as usize));
        let (mut raw, mut channel) = ends();
        raw.write_all(&[9, 0, 0, 0, 1, 2]).unwrap();
        assert!(matches!(channel.receive(), Err(FrameFault::Late)));
        drop(raw);
        assert!(matches!(channel.receive(), Err(FrameFault::Cut { found: 6, expected: 13 })));
        let (_raw, mut channel) = ends();
        assert!(matches!(channel.send(&vec![0; LONGEST + 1]), Err(FrameFault::TooLong { .. })));
    }
}
