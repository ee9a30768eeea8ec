//! Versions and requirements on them, by the rules of [semver](https://semver.org) and of cargo, usable in const.

mod reader;
mod requirement;

pub use requirement::Requirement;

use core::cmp::Ordering;
use core::fmt;

use reader::Reader;

/// A semantic version.
///
/// ```
/// use helix_runtime::ModuleVersion;
/// const V: ModuleVersion = match ModuleVersion::parse("1.4.0-beta.2") { Ok(v) => v, Err(_) => panic!() };
/// assert!(V < ModuleVersion::new(1, 4, 0));
/// assert_eq!(V.to_string(), "1.4.0-beta.2");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct ModuleVersion {
    /// Changes that break.
    pub major: u64,
    /// Changes that add.
    pub minor: u64,
    /// Changes that mend.
    pub patch: u64,
    /// The pre-release identifiers after `-`, or nothing. Build metadata is not kept.
    pub pre: &'static str,
}

/// Why a version or a requirement is none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("expected {expected} at byte {at}")]
pub struct VersionError {
    /// Where in the text.
    pub at: usize,
    /// What should stand there.
    pub expected: &'static str,
}

impl ModuleVersion {
    /// A release.
    pub const fn new(major: u64, minor: u64, patch: u64) -> Self {
        Self { major, minor, patch, pre: "" }
    }

    /// Reads `1.2.3`, `1.2.3-pre.1` or `1.2.3+build`.
    pub const fn parse(text: &'static str) -> Result<Self, VersionError> {
        let mut reader = Reader { text, at: 0 };
        let version = match reader.version() {
            Ok(version) => version,
            Err(error) => return Err(error),
        };
        if reader.at < text.len() {
            return Err(reader.expected("the end of the version"));
        }
        Ok(version)
    }

    const fn order(&self, other: &Self) -> i8 {
        let order = order(self.major, other.major);
        if order != 0 {
            return order;
        }
        let order = self::order(self.minor, other.minor);
        if order != 0 {
            return order;
        }
        let order = self::order(self.patch, other.patch);
        if order != 0 {
            return order;
        }
        order_pre(self.pre, other.pre)
    }
}

impl Ord for ModuleVersion {
    fn cmp(&self, other: &Self) -> Ordering {
        self.order(other).cmp(&0)
    }
}

impl PartialOrd for ModuleVersion {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl fmt::Display for ModuleVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}.{}", self.major, self.minor, self.patch)?;
        if !self.pre.is_empty() {
            write!(f, "-{}", self.pre)?;
        }
        Ok(())
    }
}

const fn order(a: u64, b: u64) -> i8 {
    if a < b {
        -1
    } else if a > b {
        1
    } else {
        0
    }
}

/// The order of pre-releases: none is above any; then identifier by identifier.
const fn order_pre(a: &str, b: &str) -> i8 {
    let (a, b) = (a.as_bytes(), b.as_bytes());
    if a.is_empty() || b.is_empty() {
        return order(a.is_empty() as u64, b.is_empty() as u64);
    }
    let (mut at_a, mut at_b) = (0, 0);
    loop {
        let (end_a, end_b) = (identifier(a, at_a), identifier(b, at_b));
        let order = order_identifier(a.split_at(end_a).0.split_at(at_a).1, b.split_at(end_b).0.split_at(at_b).1);
        if order != 0 {
            return order;
        }
        match (end_a == a.len(), end_b == b.len()) {
            (true, true) => return 0,
            (true, false) => return -1,
            (false, true) => return 1,
            (false, false) => (at_a, at_b) = (end_a + 1, end_b + 1),
        }
    }
}

const fn identifier(text: &[u8], mut at: usize) -> usize {
    while at < text.len() && text[at] != b'.' {
        at += 1;
    }
    at
}

const fn order_identifier(a: &[u8], b: &[u8]) -> i8 {
    match (is_numeric(a), is_numeric(b)) {
        (true, false) => return -1,
        (false, true) => return 1,
        (true, true) if a.len() != b.len() => return order(a.len() as u64, b.len() as u64),
        _ => {}
    }
    let mut at = 0;
    while at < a.len() && at < b.len() {
        if a[at] != b[at] {
            return order(a[at] as u64, b[at] as u64);
        }
        at += 1;
    }
    order(a.len() as u64, b.len() as u64)
}

const fn is_numeric(text: &[u8]) -> bool {
    let mut at = 0;
    while at < text.len() {
        if !text[at].is_ascii_digit() {
            return false;
        }
        at += 1;
    }
    true
}
