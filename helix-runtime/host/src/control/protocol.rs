//! What is asked and what is answered, and how a line of it is read.

use std::io::{self, BufRead, Read, Write};
use std::path::PathBuf;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// How long a line may be, in bytes.
pub const LONGEST: u64 = 1 << 20;

/// The version of the protocol.
pub const VERSION: u32 = 1;

/// What is asked of a host.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Question {
    /// The version of the protocol that the asker speaks.
    pub helix: u32,
    /// What is asked.
    #[serde(flatten)]
    pub verb: Verb,
}

/// The verbs that a host knows.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "verb", rename_all = "lowercase")]
#[expect(missing_docs, reason = "each is the command's verb of that name")]
pub enum Verb {
    Ls,
    Why { module: String },
    Graph,
    Health,
    Stats,
    Permissions,
    Info { module: String },
    Call { request: String, args: Value },
    Emit { event: String, args: Value },
    Events { filter: Option<String> },
    Logs { module: Option<String>, follow: bool },
    Load { path: PathBuf },
    Start { module: String },
    Stop { module: String },
    Unload { module: String },
    Reload { module: String, path: Option<PathBuf> },
}

/// One line of an answer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Answer {
    /// Something of what was asked for.
    Data(Value),
    /// That was all.
    Done(()),
    /// It went wrong.
    Fault(Fault),
}

/// What went wrong.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Fault {
    /// What the command ends with.
    pub exit: u8,
    /// What is told.
    pub message: String,
}

/// How long a line of an answer may be, in bytes.
pub(super) const LONGEST_ANSWER: u64 = 64 << 20;

/// Writes something of an answer; what would be too long to be read is told instead.
pub(super) fn answer(to: &mut impl Write, value: Value) -> io::Result<()> {
    let length = value.to_string().len() as u64;
    if length + 16 < LONGEST_ANSWER {
        return write(to, &Answer::Data(value));
    }
    let message = format!("found an answer of {length} bytes, expected at most {LONGEST_ANSWER}; ask for less");
    write(to, &Answer::Fault(Fault { exit: 1, message }))
}

/// Writes one line.
pub(super) fn write<T: Serialize>(to: &mut impl Write, value: &T) -> io::Result<()> {
    let mut line = serde_json::to_vec(value)?;
    line.push(b'\n');
    to.write_all(&line)?;
    to.flush()
}

/// Reads the question of whoever has connected; nothing if they have none.
///
/// # Errors
/// When the line is longer than [`LONGEST`], not ended, or no question.
pub fn read_question(from: &mut impl BufRead) -> io::Result<Option<Question>> {
    read(from, LONGEST)
}

/// Reads one line; nothing at the end.
pub(super) fn read<T: DeserializeOwned>(from: &mut impl BufRead, longest: u64) -> io::Result<Option<T>> {
    let mut line = Vec::new();
    from.take(longest).read_until(b'\n', &mut line)?;
    let invalid = |text: String| io::Error::new(io::ErrorKind::InvalidData, text);
    match line.pop() {
        None => Ok(None),
        Some(b'\n') => serde_json::from_slice(&line).map(Some).map_err(|error| invalid(error.to_string())),
        Some(_) if line.len() as u64 + 1 >= longest => {
            Err(invalid(format!("found a line of more than {longest} bytes, expected one that is shorter")))
        }
        Some(_) => Err(invalid("found a line that is cut off, expected one that ends".into())),
    }
}
