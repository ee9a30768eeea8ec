//! A message put together in const: what a failed check prints.

use crate::schema::Out;

/// As much text as a message of the compiler's may have.
pub(crate) struct Text {
    bytes: [u8; Self::MOST],
    len: usize,
}

impl Text {
    const MOST: usize = 1024;

    pub(crate) const fn new() -> Self {
        Self { bytes: [0; Self::MOST], len: 0 }
    }

    /// Appends text; what does not fit ends the message in dots.
    pub(crate) const fn push(&mut self, text: &str) {
        const DOTS: &str = " ...";
        if self.len + text.len() + DOTS.len() > Self::MOST {
            if self.len < Self::MOST {
                self.write(DOTS);
                self.len = Self::MOST;
            }
            return;
        }
        self.write(text);
    }

    const fn write(&mut self, text: &str) {
        let (_, room) = self.bytes.split_at_mut(self.len);
        let mut out = Out::into(room);
        out.text(text);
        self.len += out.len;
    }

    pub(crate) const fn number(&mut self, number: u64) {
        if number >= 10 {
            self.number(number / 10);
        }
        let digit = [b'0' + (number % 10) as u8];
        if let Ok(digit) = core::str::from_utf8(&digit) {
            self.push(digit);
        }
    }

    pub(crate) const fn as_str(&self) -> &str {
        let mut end = self.len;
        while end > 0 && self.bytes[end - 1] == 0 {
            end -= 1;
        }
        match core::str::from_utf8(self.bytes.split_at(end).0) {
            Ok(text) => text,
            Err(_) => "",
        }
    }
}
