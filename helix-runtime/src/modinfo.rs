//! A descriptor's readable form: the record in the ELF section `.helix.modinfo`, read without running the module.
//!
//! A record is a header of 64 bytes and a body. All of it is text, so `readelf -p .helix.modinfo FILE` shows it:
//!
//! ```text
//! helix-modinfo 2 length=00000412 fnv=8c1f29a7d0e4b356\0 .. padded with zeros to 64 bytes
//! name=timer\0version=1.0.0\0 ..
//! ```
//!
//! `length` is the body's, in decimal; `fnv` is FNV-1a (64 bits, hexadecimal) over the body. The body is a list of
//! `key=value`, each ended by a zero. Keys may repeat; see [`Record::all`].
//!
//! | key | value |
//! |---|---|
//! | `name` `version` `description` `author` `license` `kind` `flags` | as in `ModuleInfo` |
//! | `abi.target` `abi.rustc` `abi.panic` `abi.runtime` `abi.layout` | as in `AbiTag` |
//! | `abi.type` | `name hash`: one of `AbiTag::TYPES` |
//! | `provides` `feature` `permission` | one each |
//! | `depends` | `name requirement [features] optional` |
//! | `topic` | what a handler listens to; `*` is everything |
//! | `request` | `name(parameter:schema,..)->schema`, or `name(raw)` |
//! | `needs` | `request permission` |
//! | `doc` | `request text` |
//! | `config` | `key: type = default` |
//! | `state` | `version schema` of what is saved |
//! | `restores` | `version schema` of what is taken back |

mod info;
mod writer;

pub use writer::write;
#[doc(hidden)]
pub use writer::{record, record_len};

use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use crate::schema::{FNV_OFFSET, fnv};

const MAGIC: &str = "helix-modinfo 2 ";
const HEADER: usize = 64;

/// The section's name.
pub const SECTION: &str = ".helix.modinfo";

/// One module's record, as it was read.
///
/// ```
/// # use helix_runtime::prelude::*;
/// use helix_runtime::modinfo::Record;
/// # #[helix_module] #[derive(Default)] pub struct Timer;
/// # #[helix_handlers] impl Timer {}
/// # let section = helix_runtime::modinfo::write(<Timer as helix_runtime::Module>::DESCRIPTOR);
/// let records: Vec<Record> = Record::read(&section).collect::<Result<_, _>>()?;
/// assert_eq!(records[0].get("name"), Some("timer"));
/// # Ok::<(), helix_runtime::modinfo::RecordError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    fields: Vec<(String, String)>,
}

/// Why bytes are no record.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RecordError {
    /// Something else stands where a record should begin.
    #[error("at byte {at}: found {found:?}, expected a record, which begins with {MAGIC:?}")]
    Magic {
        /// Where, in the section.
        at: usize,
        /// What stands there.
        found: String,
    },
    /// The header's fields are not numbers.
    #[error("at byte {at}: the header is damaged: found {found:?}, expected `length=` and `fnv=` with numbers")]
    Header {
        /// Where, in the section.
        at: usize,
        /// What stands there.
        found: String,
    },
    /// The section ends before the record does.
    #[error("at byte {at}: the record is cut off: found {found} bytes, expected {expected}")]
    Truncated {
        /// Where, in the section.
        at: usize,
        /// How many bytes there are.
        found: usize,
        /// How many there should be.
        expected: usize,
    },
    /// The body is not what the checksum says.
    #[error("at byte {at}: the record is damaged: its checksum is {found:016x}, expected {expected:016x}")]
    Checksum {
        /// Where, in the section.
        at: usize,
        /// What the body gives.
        found: u64,
        /// What the header says.
        expected: u64,
    },
    /// There is no record where one is meant.
    #[error("found no record, expected one: build the module with `--cfg helix_export`")]
    Missing,
    /// There are several records where one is meant.
    #[error("found two modules, `{first}` and `{second}`, expected one: export one crate, and link the other plainly")]
    Several {
        /// The first module's name.
        first: String,
        /// The second module's name.
        second: String,
    },
    /// A key's value is none.
    #[error("the record's {key}: found {found:?}, expected {expected}")]
    Value {
        /// The key.
        key: &'static str,
        /// What stands there.
        found: String,
        /// What should.
        expected: &'static str,
    },
    /// A field of the body is not `key=value`.
    #[error("at byte {at}: the record has a field {found:?}, expected `key=value` in UTF-8")]
    Field {
        /// Where, in the section.
        at: usize,
        /// What stands there.
        found: String,
    },
}

impl Record {
    /// Reads all the records of a section; the linker may have padded between them with zeros.
    ///
    /// After an error nothing more is read.
    pub fn read(section: &[u8]) -> impl Iterator<Item = Result<Self, RecordError>> + '_ {
        let mut at = 0;
        core::iter::from_fn(move || {
            while section.get(at) == Some(&0) {
                at += 1;
            }
            if at >= section.len() {
                return None;
            }
            let result = Self::read_one(section, at);
            match &result {
                Ok((_, end)) => at = *end,
                Err(_) => at = section.len(),
            }
            Some(result.map(|(record, _)| record))
        })
    }

    /// Reads the record of a section in which one module is meant.
    pub fn read_single(section: &[u8]) -> Result<Self, RecordError> {
        let mut records = Self::read(section);
        let record = records.next().ok_or(RecordError::Missing)??;
        match records.next() {
            None => Ok(record),
            Some(second) => {
                let name = |record: &Self| record.get("name").unwrap_or("?").to_string();
                Err(RecordError::Several { first: name(&record), second: name(&second?) })
            }
        }
    }

    fn read_one(section: &[u8], at: usize) -> Result<(Self, usize), RecordError> {
        let shown = |bytes: &[u8]| String::from_utf8_lossy(&bytes[..bytes.len().min(HEADER)]).into_owned();
        let rest = &section[at..];
        if !rest.starts_with(MAGIC.as_bytes()) {
            return Err(RecordError::Magic { at, found: shown(&rest[..rest.len().min(MAGIC.len())]) });
        }
        let Some((header, rest)) = rest.split_at_checked(HEADER) else {
            return Err(RecordError::Truncated { at, found: rest.len(), expected: HEADER });
        };
        let Some((length, expected)) = read_header(header) else {
            return Err(RecordError::Header { at, found: shown(header) });
        };
        let Some(body) = rest.get(..length) else {
            return Err(RecordError::Truncated {
                at,
                found: HEADER + rest.len(),
                expected: HEADER.saturating_add(length),
            });
        };
        let found = fnv(body, FNV_OFFSET);
        if found != expected {
            return Err(RecordError::Checksum { at, found, expected });
        }
        let mut fields = Vec::new();
        for bytes in body.split(|byte| *byte == 0).filter(|bytes| !bytes.is_empty()) {
            let field = core::str::from_utf8(bytes).ok().and_then(|text| text.split_once('='));
            let Some((key, value)) = field else {
                return Err(RecordError::Field { at, found: shown(bytes) });
            };
            fields.push((key.to_string(), value.to_string()));
        }
        Ok((Self { fields }, at + HEADER + length))
    }

    /// The value of a key that stands once.
    pub fn get(&self, key: &str) -> Option<&str> {
        self.fields.iter().find(|(known, _)| known == key).map(|(_, value)| value.as_str())
    }

    /// The values of a key that may stand several times.
    pub fn all<'a>(&'a self, key: &'a str) -> impl Iterator<Item = &'a str> {
        self.fields.iter().filter(move |(known, _)| known == key).map(|(_, value)| value.as_str())
    }

    /// All keys and values, in their order.
    pub fn fields(&self) -> impl Iterator<Item = (&str, &str)> {
        self.fields.iter().map(|(key, value)| (key.as_str(), value.as_str()))
    }
}

impl<K: Into<String>, V: Into<String>> FromIterator<(K, V)> for Record {
    /// A record of these keys and values.
    fn from_iter<I: IntoIterator<Item = (K, V)>>(fields: I) -> Self {
        Self { fields: fields.into_iter().map(|(key, value)| (key.into(), value.into())).collect() }
    }
}

fn read_header(header: &[u8]) -> Option<(usize, u64)> {
    let text = core::str::from_utf8(header).ok()?.trim_end_matches('\0');
    let (length, sum) = text.strip_prefix(MAGIC)?.split_once(' ')?;
    let length = length.strip_prefix("length=")?.parse().ok()?;
    let sum = u64::from_str_radix(sum.strip_prefix("fnv=")?, 16).ok()?;
    // Numbers can be written in several ways; the writer's is the one.
    (text == header_text(length, sum)).then_some((length, sum))
}

fn header_text(length: usize, sum: u64) -> String {
    format!("{MAGIC}length={length:08} fnv={sum:016x}")
}
