//! Which versions will do, by cargo's rules.

use core::fmt;

use super::reader::Reader;
use super::{ModuleVersion, VersionError, order, order_pre};

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

impl Reader {
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
