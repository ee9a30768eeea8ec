//! The last entries, of which there are never more than a limit.

use alloc::collections::VecDeque;
use alloc::vec::Vec;

use demo_contracts::Entry;
use helix_runtime::prelude::*;

use crate::detail::detail;

#[derive(Debug)]
struct Record {
    number: u64,
    at_ns: u64,
    /// The last of those that this stands for. Its text is made when someone asks for it.
    event: Event,
    count: u64,
}

#[derive(Debug, Default)]
pub(crate) struct Ring {
    records: VecDeque<Record>,
    capacity: usize,
    pushed: u64,
}

/// What comes so often that a run of it is one entry.
fn merges(event: &Event) -> bool {
    matches!(event, Event::Tick(_) | Event::Interrupt(_))
}

impl Ring {
    pub(crate) fn new(capacity: usize) -> Self {
        Self { records: VecDeque::new(), capacity, pushed: 0 }
    }

    pub(crate) fn push(&mut self, event: &Event, at_ns: u64) {
        // An interrupt and its tick alternate, so a run is both of them: one entry each at its end.
        let run = self.records.iter_mut().rev().take_while(|record| merges(&record.event));
        if let Some(record) = run.filter(|record| record.event.name() == event.name()).last()
            && merges(event)
        {
            (record.at_ns, record.event) = (at_ns, event.clone());
            record.count += 1;
            return;
        }
        self.forget_beyond(self.capacity.saturating_sub(1));
        self.pushed += 1;
        self.records.push_back(Record { number: self.pushed, at_ns, event: event.clone(), count: 1 });
    }

    pub(crate) fn last(&self, n: usize) -> Vec<Entry> {
        let first = self.records.len().saturating_sub(n);
        let entry = |record: &Record| Entry {
            number: record.number,
            at_ns: record.at_ns,
            name: record.event.name().into(),
            detail: detail(&record.event),
            count: record.count,
        };
        self.records.range(first..).map(entry).collect()
    }

    /// Sets how many entries there can be; returns how many were forgotten for it.
    pub(crate) fn limit_to(&mut self, capacity: usize) -> usize {
        self.capacity = capacity;
        let forgotten = self.forget_beyond(capacity);
        self.records.shrink_to(capacity);
        forgotten
    }

    fn forget_beyond(&mut self, most: usize) -> usize {
        let surplus = self.records.len().saturating_sub(most);
        self.records.drain(..surplus);
        surplus
    }

    pub(crate) fn len(&self) -> usize {
        self.records.len()
    }

    pub(crate) fn capacity(&self) -> usize {
        self.capacity
    }

    pub(crate) fn forgotten(&self) -> u64 {
        self.pushed - self.records.len() as u64
    }
}
