//! A machine that runs an image: what is typed, what it prints, and how it ends.

use std::fmt;
use std::io::{Read, Write};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use crate::{Board, BootError, Status};

/// What time is for the machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Time {
    /// The time of the wall.
    Real,
    /// 16 ns for each instruction and none for waiting, so that each run is like the other. A process has no such time.
    Counted,
}

/// How a boot ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// The kernel has said how.
    Ended(Status),
    /// It was still running at the deadline, and was killed.
    TimedOut,
    /// The machine ended with a code that is none of the kernel's: it fell over, or was not started at all.
    Unknown(Option<i32>),
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ended(Status::Success) => f.write_str("success"),
            Self::Ended(Status::Failed) => f.write_str("the scenario did not find what it promises"),
            Self::Ended(Status::Panic) => f.write_str("the kernel panicked"),
            Self::Ended(Status::Memory) => f.write_str("the kernel has run out of memory"),
            Self::Ended(Status::Fault) => f.write_str("the processor refused an instruction or an access"),
            Self::Ended(Status::Hang) => f.write_str("the kernel stopped before it would have hung"),
            Self::TimedOut => f.write_str("the kernel was still running at the deadline"),
            Self::Unknown(Some(code)) => {
                write!(f, "the machine fell over: it ended with {code}, which no kernel sends")
            }
            Self::Unknown(None) => f.write_str("the machine was killed"),
        }
    }
}

/// What came of a boot.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outcome {
    /// How it ended.
    pub verdict: Verdict,
    /// What the kernel has printed, with line ends as here.
    pub output: String,
}

/// What is typed on the console.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Input<'a> {
    /// That text.
    Text(&'a str),
    /// Whatever comes from the standard input of this process.
    Own,
}

/// Boots an image with a command line and waits for its end. What the kernel prints also goes to `echo`, at once. The
/// deadline counts from here; whoever is still running then is killed, and so is he when this process ends.
///
/// # Errors
/// The emulator cannot be run.
pub fn boot(
    board: Board,
    image: &Path,
    command_line: &str,
    time: Time,
    input: Input<'_>,
    deadline: Duration,
    echo: &mut (dyn Write + Send),
) -> Result<Outcome, BootError> {
    let mut command = board.command(image, command_line, time);
    let program = command.get_program().to_string_lossy().into_owned();
    command.stdout(Stdio::piped());
    if let Input::Text(_) = input {
        command.stdin(Stdio::piped());
    }
    end_with_this_process(&mut command);
    let failed = |error| BootError::Run { program: program.clone(), error };
    let began = Instant::now();
    let mut child = command.spawn().map_err(failed)?;
    let (mut stdin, stdout) = (child.stdin.take(), child.stdout.take());
    thread::scope(|scope| {
        let reader = scope.spawn(move || read(stdout, echo));
        let (ended, wait_for_end) = mpsc::channel::<()>();
        // A machine that does not read its console must not hold up its deadline. One that has ended does not read.
        scope.spawn(move || {
            if let (Some(stdin), Input::Text(text)) = (&mut stdin, input) {
                let _ = stdin.write_all(text.as_bytes()).and_then(|()| stdin.flush());
            }
            // It stays open: a console whose other end is gone is not the same.
            let _ = wait_for_end.recv();
        });
        let mut timed_out = false;
        let status = loop {
            if let Some(status) = child.try_wait().map_err(failed)? {
                break status;
            }
            if began.elapsed() >= deadline && !timed_out {
                timed_out = true;
                child.kill().map_err(failed)?;
            }
            thread::sleep(Duration::from_millis(5));
        };
        drop(ended);
        let output = reader.join().unwrap_or_default();
        let verdict = match status.code() {
            _ if timed_out => Verdict::TimedOut,
            Some(code) => Status::of(code).map_or(Verdict::Unknown(Some(code)), Verdict::Ended),
            None => Verdict::Unknown(None),
        };
        Ok(Outcome { verdict, output })
    })
}

/// A machine that nobody watches any more would run for ever.
fn end_with_this_process(command: &mut Command) {
    #[cfg(target_os = "linux")]
    {
        use std::os::unix::process::CommandExt;
        // SAFETY: between fork and exec one system call is made, which takes no lock and no memory.
        unsafe {
            command.pre_exec(|| {
                libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGKILL);
                Ok(())
            })
        };
    }
    #[cfg(not(target_os = "linux"))]
    let _ = command;
}

fn read(from: Option<impl Read>, echo: &mut dyn Write) -> String {
    let Some(mut from) = from else { return String::new() };
    let (mut all, mut buffer) = (Vec::new(), [0; 4096]);
    while let Ok(read @ 1..) = from.read(&mut buffer) {
        all.extend_from_slice(&buffer[..read]);
        // Nobody has to look.
        let _ = echo.write_all(&buffer[..read]).and_then(|()| echo.flush());
    }
    String::from_utf8_lossy(&all).replace('\r', "")
}
