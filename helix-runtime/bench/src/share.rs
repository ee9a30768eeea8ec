//! Events that only some of a thousand modules match; the floor knows which.

use std::sync::atomic::{AtomicU64, Ordering};

use helix_runtime::prelude::*;
use helix_runtime::{Descriptor, Module, Publish, Runtime};

use crate::events::{self, Ear};
use crate::row::{Contender, Field, Row};
use crate::table::{listeners, publish, walk};
use crate::work::{TICK, Tally, named, note, running, tell};

const MODULES: usize = 1000;
const CREATED: ProcessCreated = ProcessCreated { pid: 1 };

/// Hears what is not published, on another topic.
#[helix_module(name = "other-ear")]
#[derive(Default)]
pub struct OtherEar {
    calls: AtomicU64,
}

#[helix_handlers]
impl OtherEar {
    #[on_event(MemoryPressure)]
    fn pressure(&self) {
        note(&self.calls, 1);
    }
    #[on_event(Tally)]
    fn tally(&self) {
        tell(&self.calls);
    }
}

/// Hears that a process was created.
#[helix_module(name = "midwife")]
#[derive(Default)]
pub struct Midwife {
    calls: AtomicU64,
}

#[helix_handlers]
impl Midwife {
    #[on_event(ProcessCreated)]
    fn created(&self, created: &ProcessCreated) {
        note(&self.calls, created.pid);
    }
    #[on_event(Tally)]
    fn tally(&self) {
        tell(&self.calls);
    }
}

/// Hears that a process has ended, which has the same topic and is not published.
#[helix_module(name = "undertaker")]
#[derive(Default)]
pub struct Undertaker {
    calls: AtomicU64,
}

#[helix_handlers]
impl Undertaker {
    #[on_event(ProcessExited)]
    fn exited(&self) {
        note(&self.calls, 1);
    }
    #[on_event(Tally)]
    fn tally(&self) {
        tell(&self.calls);
    }
}

/// So many of the thousand match, spread evenly among the others.
fn mixed(matching: usize, descriptor: &Descriptor, others: &Descriptor) -> Vec<&'static Descriptor> {
    let mut those = named(descriptor, matching).into_iter();
    let mut rest = named(others, MODULES - matching).into_iter();
    let is_one = |at: usize| (at + 1) * matching / MODULES > at * matching / MODULES;
    (0..MODULES).filter_map(|at| if is_one(at) { those.next() } else { rest.next() }).collect()
}

fn ours(event: &'static impl Publish, modules: Vec<&'static Descriptor>) -> Contender {
    publish(event, running(Runtime::builder(), modules))
}

/// The others hear another event of the same topic.
pub fn of_one_topic(matching: usize) -> Field {
    let enter = |midwife: &Midwife, created: &ProcessCreated| midwife.created(created);
    let floor = walk(&CREATED, listeners(matching), enter, |midwife| midwife.calls.load(Ordering::Relaxed));
    Field::new(floor, ours(&CREATED, mixed(matching, Midwife::DESCRIPTOR, Undertaker::DESCRIPTOR)))
}

/// The others hear another topic.
fn of_two_topics(matching: usize) -> Field {
    let modules = mixed(matching, Ear::DESCRIPTOR, OtherEar::DESCRIPTOR);
    Field::new(events::floor(matching), ours(&TICK, modules))
}

/// The rows.
pub fn rows() -> Vec<Row> {
    let tenth = MODULES / 10;
    vec![
        Row::new("publish, 10% of 1000 match, the others hear another topic", move || of_two_topics(tenth)).within(1.3),
        Row::new("publish, 10% of 1000 match, the others hear the topic's other event", move || of_one_topic(tenth))
            .within(1.3),
    ]
}
