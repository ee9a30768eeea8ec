//! Understands what is typed on the console.

use alloc::string::String;

use helix_runtime::prelude::*;

use crate::say;

/// A byte came from the console.
#[helix_message]
#[derive(EventType, Debug, Clone, Copy)]
#[event(topic = "key")]
pub struct Key {
    /// The byte.
    pub byte: u8,
}

/// How long a line may be; more of it is forgotten.
const LONGEST: usize = 80;

/// Reads lines, and does what they say.
#[helix_module(name = "shell")]
#[derive(Default)]
pub struct Shell {
    line: String,
    bytes: u32,
}

#[helix_handlers]
impl Shell {
    #[on_event(Key)]
    fn key(&mut self, &Key { byte }: &Key, ctx: &Context) {
        self.bytes += 1;
        match byte {
            b'\r' | b'\n' => {
                let line = core::mem::take(&mut self.line);
                self.obey(line.trim(), ctx);
            }
            // Nobody will type any more.
            0x04 => self.obey("shutdown", ctx),
            0x08 | 0x7f => drop(self.line.pop()),
            b' '..=b'~' if self.line.len() < LONGEST => self.line.push(byte.into()),
            _ => {}
        }
    }

    /// How many bytes have come.
    #[on_request]
    fn bytes(&self) -> u32 {
        self.bytes
    }
}

impl Shell {
    fn obey(&mut self, line: &str, ctx: &Context) {
        match line {
            "" => {}
            "shutdown" => drop(ctx.publish(&Shutdown)),
            other => say!("`{other}` is not known; there is `shutdown`"),
        }
    }
}
