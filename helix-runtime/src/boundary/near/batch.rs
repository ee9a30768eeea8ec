//! Events that come together: each is heard as if it had come alone, in one turn.

use alloc::vec::Vec;

use super::{Done, Near, received};
use crate::boundary::fault;
use crate::boundary::wire::{self, Bytes, Heard, Item};
use crate::context::Context;
use crate::descriptor::{EntryKind, EventFn, Status};
use crate::error::ModuleError;
use crate::event::{Delivery, Hears, Publish};

/// How many failures of a batch are told in words. All are counted.
const MOST_TOLD: usize = 8;

/// What handlers did so far.
#[derive(Default)]
struct Account {
    /// For each place of the table.
    counts: Vec<[u32; 3]>,
    deferred: Vec<u32>,
    failures: Vec<(u16, Vec<u8>)>,
}

impl Near {
    pub(super) fn events(&self, items: &[u8]) -> Done {
        let is_event = |kind: &EntryKind| matches!(kind, EntryKind::Event { .. });
        let alone = self.entries.iter().any(|entry| entry.exclusive && is_event(&entry.kind));
        let mut account = Account { counts: self.entries.iter().map(|_| [0; 3]).collect(), ..Account::default() };
        let mut done = self.inside(alone && !self.descriptor.needs_no_lock(), |data, cx, _| {
            for (number, item) in wire::items(items).enumerate() {
                let Some(item) = item else {
                    cx.fail_here(ModuleError::new("found an event that is none"));
                    return Status::Failed;
                };
                let (entry, status) = self.hear_item(data, &item, cx);
                match status {
                    // The host has it made anew.
                    Status::Panicked => return status,
                    Status::Deferred => account.deferred.push(number as u32),
                    status => account.note(entry, status, cx),
                }
            }
            Status::Handled
        });
        if done.status == Status::Handled {
            let counts = account.counts.iter().enumerate().filter(|(_, counts)| **counts != [0; 3]);
            done.bytes = wire::to_bytes(&Heard {
                counts: counts.map(|(at, counts)| (at as u16, *counts)).collect(),
                deferred: account.deferred,
                failures: account.failures.iter().map(|(at, error)| (*at, Bytes(error))).collect(),
            });
        }
        done
    }

    /// Lets a handler hear an event. Tells too which it is.
    fn hear_item(&self, data: *mut (), item: &Item<'_>, cx: &Context) -> (u16, Status) {
        let (Item::Value { entry, .. } | Item::Event { entry, .. }) = *item;
        let Some(EntryKind::Event { hears, call, .. }) = self.entries.get(usize::from(entry)).map(|entry| entry.kind)
        else {
            cx.fail_here(ModuleError::new("found a place of the table where no handler of events stands"));
            return (0, Status::Failed);
        };
        // SAFETY: the instance is there, who runs alone does, and the entry is its own.
        let hear = |delivery: &Delivery<'_>| unsafe { (call as EventFn)(data, delivery, cx) };
        let status = match (item, hears) {
            (Item::Value { bytes: Bytes(bytes), .. }, Hears::Type { topic, name, shape, .. }) => {
                Delivery::lend_encoded(topic, name, shape, bytes, hear)
            }
            (Item::Event { event, .. }, _) => match received(event) {
                Ok(event) => event.deliver(hear),
                Err(error) => {
                    cx.fail_here(error);
                    Status::Failed
                }
            },
            (Item::Value { .. }, _) => {
                cx.fail_here(ModuleError::new("found a value for a handler that takes no type"));
                Status::Failed
            }
        };
        (entry, status)
    }
}

impl Account {
    fn note(&mut self, entry: u16, status: Status, cx: &Context) {
        let Some([handled, ignored, failed]) = self.counts.get_mut(usize::from(entry)) else { return };
        match status {
            Status::Handled => *handled += 1,
            Status::Ignored => *ignored += 1,
            _ => {
                *failed += 1;
                let error = cx.take_fault();
                if self.failures.len() < MOST_TOLD {
                    let mut bytes = Vec::new();
                    fault::write_module(&error, &mut bytes);
                    self.failures.push((entry, bytes));
                }
            }
        }
    }
}
