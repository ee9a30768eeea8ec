//! What happened, in order.

use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

use helix_runtime::prelude::*;

/// One thing that happened, or a run of ticks or interrupts that happened one after the other.
#[helix_message]
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Counts up from 1; a gap at the front says how many entries were forgotten.
    pub number: u64,
    /// When it happened last, in nanoseconds by the last tick.
    pub at_ns: u64,
    /// The event's name.
    pub name: String,
    /// What else there is to say: `cpu 1 offline`.
    pub detail: String,
    /// How many events this stands for.
    pub count: u64,
}

/// How often an event was heard.
#[helix_message]
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EventCount {
    /// The event's name.
    pub name: String,
    /// How often.
    pub count: u64,
}

/// What a journal holds.
#[helix_message]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct JournalStats {
    /// How many entries there are.
    pub entries: u32,
    /// How many there can be at present.
    pub capacity: u32,
    /// How many entries had to go for newer ones, or because the journal shrank.
    pub forgotten: u64,
    /// How many events were heard.
    pub events: u64,
}

/// Why a journal did not do what it was asked for.
#[helix_message]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum JournalError {
    /// It cannot be that small or that large.
    Capacity {
        /// How many entries it was asked to keep.
        found: u32,
        /// How many it can keep.
        most: u32,
    },
}

impl fmt::Display for JournalError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Capacity { found, most } => {
                write!(f, "a journal of {found} entries: it keeps 1 to {most}; ask for a number in that range")
            }
        }
    }
}

impl core::error::Error for JournalError {}

/// Remembers what was published.
#[helix_service("journal")]
pub trait Journal {
    /// The last `n` entries, oldest first; fewer when there are not so many.
    fn last(&self, n: u32) -> Vec<Entry>;
    /// How often each event was heard, by name.
    fn counts(&self) -> Vec<EventCount>;
    /// What the journal holds.
    fn stats(&self) -> JournalStats;
    /// Keeps the last `n` entries at most until [`expand`](Journal::expand); returns how many were forgotten for it.
    fn shrink(&mut self, n: u32) -> Result<u32, JournalError>;
    /// Goes back to the configured capacity, which it returns.
    fn expand(&mut self) -> u32;
}
