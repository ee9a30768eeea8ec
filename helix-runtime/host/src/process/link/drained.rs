//! What a process prints, line by line into the log.

use std::collections::VecDeque;
use std::io::Read;
use std::os::fd::AsFd;

use rustix::event::{PollFd, PollFlags, Timespec, poll};

/// A stream of the process's, drained line by line into the log.
pub(super) struct Drained<R> {
    pub(super) stream: Option<R>,
    level: log::Level,
    partial: Vec<u8>,
    pub(super) last: VecDeque<String>,
}

/// How many lines are told of when a process crashes, and how long one can be.
const LAST_LINES: usize = 5;
const LONGEST_LINE: usize = 4096;
/// How often what has ended is read from at most: a pipe holds 1 MiB where nobody but root has changed it.
const MOST_READS: usize = 256;

impl<R: Read + AsFd> Drained<R> {
    pub(super) fn new(stream: Option<R>, level: log::Level) -> Self {
        Self { stream, level, partial: Vec::new(), last: VecDeque::new() }
    }

    /// Reads once what there is. At the end the stream is let go.
    pub(super) fn drain(&mut self, module: &str) {
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

    /// Reads what there is by now, and lets the stream go.
    pub(super) fn drain_rest(&mut self, module: &str) {
        // More than that is in no pipe.
        for _ in 0..MOST_READS {
            let Some(stream) = &self.stream else { return };
            let mut waits = [PollFd::new(stream, PollFlags::IN)];
            let ready = poll(&mut waits, Some(&Timespec { tv_sec: 0, tv_nsec: 0 }));
            if !ready.is_ok_and(|ready| ready > 0) {
                break;
            }
            self.drain(module);
        }
        if self.stream.take().is_some() {
            self.line(module);
        }
    }

    fn line(&mut self, module: &str) {
        let line = String::from_utf8_lossy(&std::mem::take(&mut self.partial)).trim_end().to_string();
        if line.is_empty() {
            return;
        }
        let line = plain(&line);
        log::log!(target: module, self.level, "{line}");
        self.last.push_back(line);
        if self.last.len() > LAST_LINES {
            self.last.pop_front();
        }
    }
}

/// A text of a process's as one line of the log, in which nothing looks like another's: no line feeds, nothing that a terminal obeys.
pub(in crate::process) fn plain(text: &str) -> String {
    let letter = |letter: char| if letter.is_control() && letter != '\t' { ' ' } else { letter };
    text.trim_end().chars().take(LONGEST_LINE).map(letter).collect()
}
