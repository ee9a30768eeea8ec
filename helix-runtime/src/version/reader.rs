//! Reads the parts that versions and requirements are made of.

use super::{ModuleVersion, VersionError, is_numeric};

/// A place in a text.
pub(super) struct Reader {
    pub(super) text: &'static str,
    pub(super) at: usize,
}

impl Reader {
    pub(super) const fn expected(&self, expected: &'static str) -> VersionError {
        VersionError { at: self.at, expected }
    }

    pub(super) const fn peek(&self) -> u8 {
        if self.at < self.text.len() { self.text.as_bytes()[self.at] } else { 0 }
    }

    pub(super) const fn take(&mut self, byte: u8) -> bool {
        let found = self.peek() == byte && self.at < self.text.len();
        self.at += found as usize;
        found
    }

    pub(super) const fn spaces(&mut self) {
        while self.take(b' ') {}
    }

    pub(super) const fn version(&mut self) -> Result<ModuleVersion, VersionError> {
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

    pub(super) const fn number(&mut self) -> Result<u64, VersionError> {
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

    pub(super) const fn pre_and_build(&mut self) -> Result<&'static str, VersionError> {
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
}
