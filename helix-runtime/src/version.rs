//! Versions and requirements on them, by the rules of [semver](https://semver.org) and of cargo, usable in const.

use core::cmp::Ordering;
use core::fmt;

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

/// Which versions will do, as in a `Cargo.toml`: `^1.2`, `~1.2.3`, `>=1.0, <2.0`, `=1.2.3`, `1.*`, `*`.
///
/// ```
/// use helix_runtime::{ModuleVersion, Requirement};
/// const R: Requirement = match Requirement::parse(">=1.0, <2.0") { Ok(r) => r, Err(_) => panic!() };
/// assert!(R.matches(&ModuleVersion::new(1, 9, 3)));
/// assert!(!R.matches(&ModuleVersion::new(2, 0, 0)));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Requirement {
    text: &'static str,
}

impl Requirement {
    /// Any release.
    pub const ANY: Self = Self { text: "*" };

    /// Checks the text and keeps it.
    pub const fn parse(text: &'static str) -> Result<Self, VersionError> {
        let mut reader = Reader { text, at: 0 };
        loop {
            if let Err(error) = reader.comparator() {
                return Err(error);
            }
            if reader.at == text.len() {
                return Ok(Self { text });
            }
            if !reader.take(b',') {
                return Err(reader.expected("`,` or the end of the requirement"));
            }
        }
    }

    /// The requirement as it was written.
    pub const fn as_str(&self) -> &'static str {
        self.text
    }

    /// Whether `version` will do. A pre-release does only where a comparator names one of the same release.
    pub const fn matches(&self, version: &ModuleVersion) -> bool {
        let mut reader = Reader { text: self.text, at: 0 };
        let mut allows_pre = version.pre.is_empty();
        while let Ok(comparator) = reader.comparator() {
            if !comparator.matches(version) {
                return false;
            }
            allows_pre |= comparator.names_pre_of(version);
            if !reader.take(b',') {
                break;
            }
        }
        allows_pre
    }
}

impl fmt::Display for Requirement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.text)
    }
}

#[derive(Clone, Copy, PartialEq)]
enum Op {
    Exact,
    Greater,
    GreaterEq,
    Less,
    LessEq,
    Tilde,
    Caret,
    Any,
}

struct Comparator {
    op: Op,
    major: u64,
    minor: Option<u64>,
    patch: Option<u64>,
    pre: &'static str,
}

impl Comparator {
    const fn names_pre_of(&self, version: &ModuleVersion) -> bool {
        if self.pre.is_empty() || self.major != version.major {
            return false;
        }
        match (self.minor, self.patch) {
            (Some(minor), Some(patch)) => minor == version.minor && patch == version.patch,
            _ => false,
        }
    }

    const fn matches(&self, version: &ModuleVersion) -> bool {
        match self.op {
            Op::Any => true,
            Op::Exact => matches!(self.order(version), Some(0)),
            Op::Greater => matches!(self.order(version), Some(1)),
            Op::GreaterEq => matches!(self.order(version), Some(0 | 1)),
            Op::Less => matches!(self.order(version), Some(-1)),
            Op::LessEq => matches!(self.order(version), Some(0 | -1)),
            Op::Tilde => self.tilde(version),
            Op::Caret => self.caret(version),
        }
    }

    /// How the version stands to what is written. A part left out equals any, but no pre-release.
    const fn order(&self, version: &ModuleVersion) -> Option<i8> {
        let partial = if version.pre.is_empty() { Some(0) } else { None };
        let order = self::order(version.major, self.major);
        if order != 0 {
            return Some(order);
        }
        let Some(minor) = self.minor else { return partial };
        let order = self::order(version.minor, minor);
        if order != 0 {
            return Some(order);
        }
        let Some(patch) = self.patch else { return partial };
        let order = self::order(version.patch, patch);
        if order != 0 {
            return Some(order);
        }
        Some(order_pre(version.pre, self.pre))
    }

    const fn tilde(&self, version: &ModuleVersion) -> bool {
        if version.major != self.major {
            return false;
        }
        if let Some(minor) = self.minor
            && version.minor != minor
        {
            return false;
        }
        if let Some(patch) = self.patch
            && version.patch != patch
        {
            return version.patch > patch;
        }
        order_pre(version.pre, self.pre) >= 0
    }

    const fn caret(&self, version: &ModuleVersion) -> bool {
        if version.major != self.major {
            return false;
        }
        let Some(minor) = self.minor else { return true };
        let Some(patch) = self.patch else {
            return if self.major > 0 { version.minor >= minor } else { version.minor == minor };
        };
        if self.major > 0 {
            if version.minor != minor {
                return version.minor > minor;
            }
            if version.patch != patch {
                return version.patch > patch;
            }
        } else if minor > 0 {
            if version.minor != minor {
                return false;
            }
            if version.patch != patch {
                return version.patch > patch;
            }
        } else if version.minor != minor || version.patch != patch {
            return false;
        }
        order_pre(version.pre, self.pre) >= 0
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

struct Reader {
    text: &'static str,
    at: usize,
}

impl Reader {
    const fn expected(&self, expected: &'static str) -> VersionError {
        VersionError { at: self.at, expected }
    }

    const fn peek(&self) -> u8 {
        if self.at < self.text.len() { self.text.as_bytes()[self.at] } else { 0 }
    }

    const fn take(&mut self, byte: u8) -> bool {
        let found = self.peek() == byte && self.at < self.text.len();
        self.at += found as usize;
        found
    }

    const fn spaces(&mut self) {
        while self.take(b' ') {}
    }

    const fn version(&mut self) -> Result<ModuleVersion, VersionError> {
        let mut parts = [0; 3];
        let mut at = 0;
        while at < 3 {
            if at > 0 && !self.take(b'.') {
                return Err(self.expected("`.`: a version is major.minor.patch"));
            }
            parts[at] = match self.number() {
                Ok(number) => number,
                Err(error) => return Err(error),
            };
            at += 1;
        }
        let pre = match self.pre_and_build() {
            Ok(pre) => pre,
            Err(error) => return Err(error),
        };
        Ok(ModuleVersion { major: parts[0], minor: parts[1], patch: parts[2], pre })
    }

    const fn number(&mut self) -> Result<u64, VersionError> {
        let start = self.at;
        let mut number: u64 = 0;
        while self.peek().is_ascii_digit() {
            let digit = (self.peek() - b'0') as u64;
            number = match number.checked_mul(10) {
                Some(number) => match number.checked_add(digit) {
                    Some(number) => number,
                    None => return Err(self.expected("a number below 2^64")),
                },
                None => return Err(self.expected("a number below 2^64")),
            };
            self.at += 1;
        }
        if self.at == start {
            return Err(self.expected("a number"));
        }
        if self.text.as_bytes()[start] == b'0' && self.at > start + 1 {
            self.at = start;
            return Err(self.expected("a number without a leading zero"));
        }
        Ok(number)
    }

    const fn pre_and_build(&mut self) -> Result<&'static str, VersionError> {
        let mut pre = "";
        if self.take(b'-') {
            pre = match self.identifiers(true) {
                Ok(pre) => pre,
                Err(error) => return Err(error),
            };
        }
        if self.take(b'+')
            && let Err(error) = self.identifiers(false)
        {
            return Err(error);
        }
        Ok(pre)
    }

    const fn identifiers(&mut self, pre: bool) -> Result<&'static str, VersionError> {
        let start = self.at;
        loop {
            let begin = self.at;
            while matches!(self.peek(), b'0'..=b'9' | b'a'..=b'z' | b'A'..=b'Z' | b'-') {
                self.at += 1;
            }
            if self.at == begin {
                return Err(self.expected("an identifier of letters, digits and `-`"));
            }
            let word = self.text.as_bytes().split_at(self.at).0.split_at(begin).1;
            if pre && word.len() > 1 && word[0] == b'0' && is_numeric(word) {
                self.at = begin;
                return Err(self.expected("a number without a leading zero"));
            }
            if !self.take(b'.') {
                return Ok(self.text.split_at(self.at).0.split_at(start).1);
            }
        }
    }

    const fn comparator(&mut self) -> Result<Comparator, VersionError> {
        let first = self.at == 0;
        self.spaces();
        let op = if self.take(b'=') {
            Some(Op::Exact)
        } else if self.take(b'>') {
            Some(if self.take(b'=') { Op::GreaterEq } else { Op::Greater })
        } else if self.take(b'<') {
            Some(if self.take(b'=') { Op::LessEq } else { Op::Less })
        } else if self.take(b'~') {
            Some(Op::Tilde)
        } else if self.take(b'^') {
            Some(Op::Caret)
        } else {
            None
        };
        self.spaces();
        let mut comparator = Comparator { op: Op::Caret, major: 0, minor: None, patch: None, pre: "" };
        if let Some(op) = op {
            comparator.op = op;
        } else if self.wildcard() {
            // Like cargo, `*` stands alone: in a list it would say nothing.
            self.spaces();
            comparator.op = Op::Any;
            return if first && self.at == self.text.len() {
                Ok(comparator)
            } else {
                Err(self.expected("nothing else beside `*`"))
            };
        }
        comparator.major = match self.number() {
            Ok(number) => number,
            Err(error) => return Err(error),
        };
        let mut wild = false;
        if self.take(b'.') {
            if self.wildcard() {
                wild = true;
            } else {
                comparator.minor = match self.number() {
                    Ok(number) => Some(number),
                    Err(error) => return Err(error),
                };
            }
            if self.take(b'.') {
                if self.wildcard() {
                    wild = true;
                } else if wild {
                    return Err(self.expected("`*` after `*`"));
                } else {
                    comparator.patch = match self.number() {
                        Ok(number) => Some(number),
                        Err(error) => return Err(error),
                    };
                    comparator.pre = match self.pre_and_build() {
                        Ok(pre) => pre,
                        Err(error) => return Err(error),
                    };
                }
            }
        }
        if wild && op.is_none() {
            comparator.op = Op::Exact;
        }
        self.spaces();
        Ok(comparator)
    }

    const fn wildcard(&mut self) -> bool {
        self.take(b'*') || self.take(b'x') || self.take(b'X')
    }
}
