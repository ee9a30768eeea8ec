//! Events on their way to a process whose publishers do not wait: put into lanes, and delivered many at a time by whoever
//! attends to the process, in the module's turn.
//!
//! How many go at a time follows how long they take: so the process has the credit that it uses, and no more.

use alloc::collections::BTreeSet;
use alloc::sync::Weak;
use alloc::vec::Vec;
use core::cell::RefCell;
use core::sync::atomic::{AtomicU64, Ordering};
use core::time::Duration;
use std::time::Instant;

use super::lanes::{Batch, Lanes, Put};
use super::{Far, Process, is_hosts};
use crate::boundary::crossing::{Crossing, Payload, event_of};
use crate::boundary::wire::{self, Bytes, Down, Heard, Item};
use crate::boundary::{fault, host};
use crate::context::Context;
use crate::descriptor::{Entry, EntryKind, Status};
use crate::error::ModuleError;
use crate::event::{Delivery, Event, EventType, EventsLost, Hears};
use crate::lock::Lock;
use crate::message::{decode, encode};
use crate::schema::Shape;

/// The events that wait for one instance in a process.
pub(crate) struct Queue {
    module: &'static str,
    lanes: Lanes,
    process: Weak<dyn Process>,
    /// For each entry of the table, what it takes as values: the topic, the name and the schema.
    hears: Vec<Option<Hearing>>,
    /// The handlers that want to know how many events were lost.
    mourners: Vec<u16>,
    /// How many have been delivered, or were lost with a process.
    done: AtomicU64,
    pace: Lock<Pace>,
}

/// A topic, a name and a schema.
type Hearing = (&'static str, &'static str, Shape);

/// What was learnt of how fast a process is.
struct Pace {
    /// How many events go at a time.
    credit: usize,
    batch: Batch,
}

/// How many events go at a time at first and at least, and at most. A conversation has one deadline however many there are in it,
/// and with a process those go that it was being told.
const CREDIT: (usize, usize) = (1, 8192);
/// How long whoever has the module to itself delivers what waits, before it leaves that to those who come after.
const FLUSH: Duration = Duration::from_secs(2);
/// How long a batch should take: the module's other callers wait meanwhile.
const BATCH_TIME: Duration = Duration::from_millis(1);

/// What became of a batch.
#[derive(Default)]
pub(crate) struct Delivered {
    /// For each handler that was called how often it has handled, ignored and failed.
    pub(crate) counts: Vec<(u16, [u32; 3])>,
    /// What is to be delivered again, by the handler's place in the table.
    pub(crate) deferred: Vec<(u16, Event)>,
    /// What went wrong, first of all that did.
    pub(crate) failures: Vec<(u16, ModuleError)>,
}

std::thread_local! {
    static SCRATCH: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
}

impl Queue {
    pub(super) fn new<'a>(
        module: &'static str,
        capacity: usize,
        process: Weak<dyn Process>,
        entries: impl Iterator<Item = &'a Entry>,
    ) -> Self {
        let hears = |entry: &Entry| match entry.kind {
            EntryKind::Event { hears: Hears::Type { topic, name, shape, .. }, .. } => Some((topic, name, shape)),
            _ => None,
        };
        let hears: Vec<Option<Hearing>> = entries.map(hears).collect();
        let mourns = |at: &usize| hears[*at].is_some_and(|(_, name, _)| name == EventsLost::NAME);
        let mourners = (0..hears.len()).filter(mourns).map(|at| at as u16).collect();
        let pace = Lock::new(Pace { credit: CREDIT.0, batch: Batch::default() });
        Self { module, lanes: Lanes::new(capacity), process, hears, mourners, done: AtomicU64::new(0), pace }
    }

    /// Puts an event to those that wait for a handler. `is_open` is asked whether its module takes events at this moment.
    pub(crate) fn put(&self, entry: usize, delivery: &Delivery<'_>, is_open: &dyn Fn() -> bool) -> Put {
        let mut scratch = SCRATCH.take();
        scratch.clear();
        let put = self.put_by(&mut scratch, entry, delivery, is_open);
        SCRATCH.set(scratch);
        if put.1
            && let Some(process) = self.process.upgrade()
        {
            process.wake();
        }
        put.0
    }

    fn put_by(
        &self,
        scratch: &mut Vec<u8>,
        entry: usize,
        delivery: &Delivery<'_>,
        is_open: &dyn Fn() -> bool,
    ) -> (Put, bool) {
        let (at, shape) = (entry as u16, self.hears.get(entry).copied().flatten().map(|(_, _, shape)| shape));
        let lane = is_hosts(delivery.kind.name);
        if shape.is_some() && delivery.encode_value(scratch) == shape {
            let mut head = [0; 16];
            let length = wire::value_head(at, scratch.len(), &mut head);
            return self.lanes.put(&[&head[..length], scratch], lane, is_open);
        }
        scratch.clear();
        let crossing = delivery.crossing();
        let mut put = |item: &Item<'_>| match encode(item, scratch) {
            Ok(_) => self.lanes.put(&[scratch], lane, is_open),
            Err(_) => (Put::Refused, false),
        };
        let mut encoded = Vec::new();
        match crossing.payload {
            Payload::Encoded { shape: found, bytes } if Some(found) == shape => {
                put(&Item::Value { entry: at, bytes: Bytes(bytes) })
            }
            Payload::Refused => (Put::Refused, false),
            _ => put(&Item::Event { entry: at, event: wire::Event::of(&crossing, &mut encoded) }),
        }
    }

    /// Delivers nothing before it has taken over from the instance before.
    pub(crate) fn hold(&self) {
        self.lanes.hold();
    }

    /// Whether its module has the same handlers.
    pub(crate) fn is_like(&self, other: &Self) -> bool {
        self.hears == other.hears
    }

    /// There is nobody to take over from.
    pub(crate) fn release(&self) {
        self.inherit(&Self::new(self.module, 0, self.process.clone(), core::iter::empty()));
    }

    /// Takes over what waits for the instance before, whose process has ended, if both have the same handlers.
    pub(crate) fn inherit(&self, from: &Self) {
        self.lanes.inherit(&from.lanes, self.is_like(from));
        if let Some(process) = self.process.upgrade() {
            process.wake();
        }
    }

    /// How many events were put here, and how many of these are done with, in order.
    pub(super) fn progress(&self) -> (u64, u64) {
        (self.lanes.put_so_far(), self.done.load(Ordering::Acquire))
    }

    /// How many events wait.
    pub(crate) fn len(&self) -> usize {
        self.lanes.len().0
    }
}

impl Drop for Queue {
    fn drop(&mut self) {
        let lost = self.len();
        if lost > 0 {
            log::warn!(target: self.module, "{lost} events that waited for it are lost: its process has ended");
        }
    }
}

impl Far {
    /// Delivers some of the events that wait, in the module's turn. Whether there were any.
    pub(super) fn deliver_some(&self) -> bool {
        let is_there = self.process.as_ref().is_some_and(|process| process.is_there());
        let Some(queue) = self.queue.as_deref().filter(|queue| is_there && queue.lanes.is_ready()) else {
            return false;
        };
        let mut deliver = |cx: &Context| self.deliver_batch(queue, cx);
        // SAFETY: the end is this one's.
        unsafe { host::in_turn(self.end, self.instance, &mut deliver) }
    }

    /// Delivers what waits now, as far as there is time for it. For whoever has the module to itself.
    pub(super) fn flush(&self, cx: &Context) -> Result<Delivered, ModuleError> {
        let mut all = Delivered::default();
        let Some(queue) = self.queue.as_deref() else { return Ok(all) };
        // What is put here meanwhile, by handlers too, is for the next time: the gate is closed.
        let (until, mut done) = queue.progress();
        let began = Instant::now();
        while done < until && queue.lanes.len().0 > 0 && began.elapsed() < FLUSH {
            let delivered = self.deliver_batch(queue, cx)?;
            all.counts.extend(delivered.counts);
            all.deferred.extend(delivered.deferred);
            all.failures.extend(delivered.failures);
            done = queue.progress().1;
        }
        Ok(all)
    }

    fn deliver_batch(&self, queue: &Queue, cx: &Context) -> Result<Delivered, ModuleError> {
        let mut pace = queue.pace.lock();
        let (credit, mut batch) = (pace.credit, core::mem::take(&mut pace.batch));
        drop(pace);
        queue.lanes.take(credit, &mut batch);
        let taken = batch.events as u64;
        if batch.lost > 0 {
            log::warn!(target: self.name, "{} events are lost: there was no room for them to wait, or it hears such no more", batch.lost);
            queue.mourn(&mut batch);
        }
        if batch.events == 0 {
            return Ok(Delivered::default());
        }
        let began = Instant::now();
        let events = Down::Events { items: Bytes(&batch.bytes) };
        let said = self.say(&events, Some(cx.place()), |done| match (done.status, decode::<Heard<'_>>(done.bytes)) {
            (Status::Handled, Some(heard)) if queue.is_right(&heard, batch.events) => {
                Ok(queue.delivered(heard, &batch.bytes))
            }
            (Status::Handled, _) => {
                let cause = "its account of the events that it was sent is none".into();
                Err(ModuleError::Crashed { module: self.name.into(), cause })
            }
            _ => Err(self.error(done.error)),
        });
        let said = said.and_then(|said| said);
        if said.is_err() {
            log::warn!(target: self.name, "of {} events it is not known whether they were heard", batch.events);
        }
        queue.done.fetch_add(taken, Ordering::Release);
        let took = began.elapsed();
        let mut pace = queue.pace.lock();
        let (least, greatest) = CREDIT;
        if took > BATCH_TIME * 2 {
            pace.credit = (pace.credit / 2).max(least);
        } else if took < BATCH_TIME / 2 && batch.events >= pace.credit {
            pace.credit = (pace.credit * 2).min(greatest);
        }
        pace.batch = batch;
        said
    }
}

impl Queue {
    /// Whether an account can be one of so many events.
    fn is_right(&self, heard: &Heard<'_>, events: usize) -> bool {
        let told = heard.counts.iter().flat_map(|(_, counts)| counts).map(|count| u64::from(*count)).sum::<u64>();
        let is_known = |(at, _): &(u16, _)| usize::from(*at) < self.hears.len();
        heard.counts.len() <= self.hears.len()
            && heard.counts.iter().all(is_known)
            && heard.deferred.len() <= events
            && heard.failures.len() <= events
            && told + heard.deferred.len() as u64 <= events as u64
    }

    fn delivered(&self, heard: Heard<'_>, items: &[u8]) -> Delivered {
        let read = |(at, Bytes(error)): &(u16, Bytes<'_>)| {
            (*at, fault::on_account_of(self.module, || fault::read_module(error)))
        };
        let failures = heard.failures.iter().map(read).collect();
        let mut delivered = Delivered { counts: heard.counts, deferred: Vec::new(), failures };
        if !heard.deferred.is_empty() {
            let numbers: BTreeSet<u32> = heard.deferred.iter().copied().collect();
            let is_deferred = |(number, _): &(usize, _)| numbers.contains(&(*number as u32));
            let items = wire::items(items).enumerate().filter(is_deferred);
            delivered.deferred.extend(items.filter_map(|(_, item)| self.again(&item?)));
        }
        delivered
    }

    /// An event that was put off, as it can be delivered again, and the handler's place in the table.
    fn again(&self, item: &Item<'_>) -> Option<(u16, Event)> {
        let (entry, crossing) = match *item {
            Item::Event { entry, ref event } => (entry, event.crossing()),
            Item::Value { entry, bytes: Bytes(bytes) } => {
                let (topic, name, shape) = (*self.hears.get(usize::from(entry))?)?;
                (entry, Crossing { topic, name, payload: Payload::Encoded { shape, bytes } })
            }
        };
        // SAFETY: nothing comes as a value.
        Some((entry, unsafe { event_of(&crossing) }.ok()?))
    }

    /// Tells those who want to know how many were lost, before the events of the batch.
    fn mourn(&self, batch: &mut Batch) {
        let mut bytes = Vec::new();
        if encode(&EventsLost { count: batch.lost }, &mut bytes).is_err() {
            return;
        }
        let mut told = Vec::new();
        for entry in &self.mourners {
            let item = wire::to_bytes(&Item::Value { entry: *entry, bytes: Bytes(&bytes) });
            told.extend_from_slice(&(item.len() as u32).to_le_bytes());
            told.extend_from_slice(&item);
            batch.events += 1;
        }
        batch.bytes.splice(0..0, told);
    }
}
