//! What a module has seen and done, for whoever asks.

use helix_runtime::prelude::*;

/// How often something happened.
#[helix_message]
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Count {
    /// What.
    pub what: String,
    /// How often.
    pub times: u64,
}

/// What each module answers to its request `report`.
#[helix_message]
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Report {
    /// The events that it has heard.
    pub heard: Vec<Count>,
    /// What it has done.
    pub done: Vec<Count>,
}

fn count(counts: &mut Vec<Count>, what: &str) {
    match counts.iter_mut().find(|count| count.what == what) {
        Some(count) => count.times += 1,
        None => counts.push(Count { what: what.into(), times: 1 }),
    }
}

fn times(counts: &[Count], what: &str) -> u64 {
    counts.iter().find(|count| count.what == what).map_or(0, |count| count.times)
}

impl Report {
    /// Takes note of an event.
    pub fn hear<E: EventType>(&mut self, _event: &E) {
        count(&mut self.heard, E::NAME);
    }

    /// Takes note of something done.
    pub fn note(&mut self, what: &str) {
        count(&mut self.done, what);
    }

    /// How often an event was heard.
    pub fn heard<E: EventType>(&self) -> u64 {
        times(&self.heard, E::NAME)
    }

    /// How often something was done.
    pub fn done(&self, what: &str) -> u64 {
        times(&self.done, what)
    }
}
