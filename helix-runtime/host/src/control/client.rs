//! The asker's end.

use std::io::{self, BufReader};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};

use serde_json::Value;

use super::protocol::{self, Answer, Fault, LONGEST_ANSWER, Question, VERSION, Verb};

/// Where a host's control socket is unless something else is said: `$HELIX_SOCKET`, or `helix/host.sock` below
/// `$XDG_RUNTIME_DIR`, or below a directory of the user's own among the temporary files.
pub fn default_socket() -> PathBuf {
    if let Some(path) = std::env::var_os("HELIX_SOCKET") {
        return path.into();
    }
    match std::env::var_os("XDG_RUNTIME_DIR") {
        Some(folder) => Path::new(&folder).join("helix/host.sock"),
        None => std::env::temp_dir().join(format!("helix-{}/host.sock", rustix::process::geteuid().as_raw())),
    }
}

/// Nobody listens.
#[derive(Debug, thiserror::Error)]
#[error("no host is running at {}: {error}; start one with `helix run`", .path.display())]
pub struct NoHost {
    /// Where it was looked for.
    pub path: PathBuf,
    /// What the system says.
    pub error: io::Error,
}

/// A connection to a host, for one question.
#[derive(Debug)]
pub struct Client(UnixStream);

impl Client {
    /// Connects to a host.
    ///
    /// # Errors
    /// When nobody listens there.
    pub fn new(path: &Path) -> Result<Self, NoHost> {
        let no_host = |error| NoHost { path: path.into(), error };
        let stream = UnixStream::connect(path).map_err(no_host)?;
        // Whoever listens at a path that anybody can make is told nothing unless it is the asker's own.
        let own = rustix::process::geteuid();
        let is_own =
            rustix::net::sockopt::socket_peercred(&stream).is_ok_and(|peer| peer.uid == own || peer.uid.is_root());
        let foreign = || io::Error::new(io::ErrorKind::PermissionDenied, "the host there is another user's");
        if is_own { Ok(Self(stream)) } else { Err(no_host(foreign())) }
    }

    /// Asks. `each` is given what comes, as it comes.
    ///
    /// # Errors
    /// What the host says, or that it is gone.
    pub fn ask(mut self, verb: Verb, each: &mut dyn FnMut(Value)) -> Result<(), Fault> {
        let gone = |text: String| Fault { exit: 1, message: format!("the host did not answer: {text}") };
        protocol::write(&mut self.0, &Question { helix: VERSION, verb }).map_err(|error| gone(error.to_string()))?;
        let mut from = BufReader::new(self.0);
        loop {
            match protocol::read(&mut from, LONGEST_ANSWER).map_err(|error| gone(error.to_string()))? {
                Some(Answer::Data(value)) => each(value),
                Some(Answer::Done(())) => return Ok(()),
                Some(Answer::Fault(fault)) => return Err(fault),
                None => return Err(gone("it has ended".into())),
            }
        }
    }
}
