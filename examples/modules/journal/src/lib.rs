//! Remembers what was published: every event, whoever sent it.
#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;

mod detail;
mod ring;

use alloc::collections::BTreeMap;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use demo_contracts::{Entry, EventCount, JournalError, JournalStats};
use helix_runtime::prelude::*;
use ring::Ring;

/// What fits without anyone noticing: an entry is about 150 bytes.
const MOST_ENTRIES: u32 = 65_536;

/// Keeps and serves the last events.
#[helix_module(name = "journal", provides = [demo_contracts::Journal])]
#[derive(Debug, Default)]
pub struct Journal {
    /// How many entries are kept.
    #[config(default = 64)]
    capacity: u32,
    ring: Ring,
    counts: BTreeMap<String, u64>,
    /// By the last tick.
    now_ns: u64,
    events: u64,
}

#[helix_handlers]
impl Journal {
    #[on_init]
    fn init(&mut self) -> Result<(), ModuleError> {
        if !(1..=MOST_ENTRIES).contains(&self.capacity) {
            let expected = format!("a whole number from 1 to {MOST_ENTRIES}");
            return Err(ModuleError::config("capacity", self.capacity, expected));
        }
        self.ring = Ring::new(self.capacity as usize);
        Ok(())
    }

    // Before those who act on an event: what they publish in turn comes after it.
    #[on_event(Event, priority = HIGHEST)]
    fn heard(&mut self, event: &Event) {
        if let Event::Tick(tick) = event {
            self.now_ns = tick.timestamp_ns;
        }
        self.events += 1;
        match self.counts.get_mut(event.name()) {
            Some(count) => *count += 1,
            None => drop(self.counts.insert(event.name().into(), 1)),
        }
        self.ring.push(event, self.now_ns);
    }
}

impl demo_contracts::Journal for Journal {
    fn last(&self, n: u32) -> Vec<Entry> {
        self.ring.last(n as usize)
    }

    fn counts(&self) -> Vec<EventCount> {
        self.counts.iter().map(|(name, count)| EventCount { name: name.clone(), count: *count }).collect()
    }

    fn stats(&self) -> JournalStats {
        JournalStats {
            entries: self.ring.len() as u32,
            capacity: self.ring.capacity() as u32,
            forgotten: self.ring.forgotten(),
            events: self.events,
        }
    }

    fn shrink(&mut self, n: u32) -> Result<u32, JournalError> {
        if n == 0 {
            return Err(JournalError::Capacity { found: n, most: self.capacity });
        }
        Ok(self.ring.limit_to(n.min(self.capacity) as usize) as u32)
    }

    fn expand(&mut self) -> u32 {
        self.ring.limit_to(self.capacity as usize);
        self.capacity
    }
}
