//! Reloads under load: every caller and every event carries a number, and all of them are accounted for.
//!
//! `HELIX_RELOADS=10000` for the full length; a few hundred without.
#![allow(missing_docs)]
#![cfg(all(target_os = "linux", not(miri)))]

mod support;

use std::fs;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use helix_host::{Cancel, Cargo, Host};
use helix_runtime::prelude::*;

/// What is published, with a number of its own.
#[helix_message]
#[derive(Debug, Clone, EventType)]
#[event(topic = "siege", name = "siege.note")]
struct Note {
    from: u32,
    number: u64,
}

const LEDGER: &str = r#"
#![forbid(unsafe_code)]
use std::collections::BTreeMap;
use helix_runtime::prelude::*;

#[helix_message]
#[derive(Debug, Clone, EventType)]
#[event(topic = "siege", name = "siege.note")]
pub struct Note { pub from: u32, pub number: u64 }

#[helix_message]
#[derive(Debug, Clone, Default)]
pub struct Saved { pub calls: BTreeMap<u32, u64>, pub notes: BTreeMap<u32, u64>, pub ticks: u64, pub faults: u64 }

/// Keeps count of everybody.
#[helix_module(name = "ledger", flags = HOT_RELOADABLE)]
#[derive(Default)]
pub struct Ledger { saved: Saved }

/// The number of the build, which the test changes.
static BUILD: &str = "build number 00000000";

#[helix_handlers]
impl Ledger {
    /// The next number of a caller; one that is missing or comes twice is a fault.
    #[on_request]
    fn add(&mut self, from: u32, number: u64) -> u64 {
        let last = self.saved.calls.entry(from).or_default();
        if *last + 1 != number { self.saved.faults += 1; }
        *last = number;
        number
    }
    #[on_event(Note)]
    fn note(&mut self, note: &Note) {
        let last = self.saved.notes.entry(note.from).or_default();
        if *last + 1 != note.number { self.saved.faults += 1; }
        *last = note.number;
    }
    #[on_event(Tick)]
    fn tick(&mut self) { self.saved.ticks += 1; }
    #[on_request]
    fn totals(&self) -> (BTreeMap<u32, u64>, BTreeMap<u32, u64>, u64, u64) {
        (self.saved.calls.clone(), self.saved.notes.clone(), self.saved.ticks, self.saved.faults)
    }
    #[on_request]
    fn build(&self) -> String { core::hint::black_box(BUILD).into() }
    #[on_save(version = 1)]
    fn save(&self) -> Saved { self.saved.clone() }
    #[on_restore(version = 1)]
    fn restore(&mut self, saved: Saved) { self.saved = saved; }
}
"#;

type Totals = (std::collections::BTreeMap<u32, u64>, std::collections::BTreeMap<u32, u64>, u64, u64);

fn number_of(build: usize) -> String {
    format!("build number {build:08}")
}

/// What the process has of memory that is its own, in KiB, and how much of what is mapped is there, and what it has mapped.
fn memory() -> (u64, u64, usize) {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let field = |name: &str| {
        let line = status.lines().find(|line| line.starts_with(name)).unwrap();
        line.split_ascii_whitespace().nth(1).unwrap().parse().unwrap()
    };
    (field("RssAnon:"), field("RssFile:"), fs::read_to_string("/proc/self/maps").unwrap().lines().count())
}

#[test]
fn no_call_and_no_event_is_lost_or_doubled_however_often_a_module_is_replaced() {
    let reloads: usize = std::env::var("HELIX_RELOADS").map_or(300, |text| text.parse().expect("a number"));
    let folder = support::folder("siege");
    // As it would be shipped: each load is copied, checked and mapped as a whole.
    let cargo = Cargo { release: true, ..support::cargo() };
    let module = support::write_crate(&folder, "ledger", LEDGER);
    let built = cargo.build(&module, &Cancel::default(), &mut |_| {}).unwrap();
    let first = fs::read(&built.path).unwrap();
    let path = folder.join("live.so");
    fs::write(&path, &first).unwrap();
    let host = Host::builder().libraries(std::slice::from_ref(&path)).start().unwrap();
    let ended = AtomicBool::new(false);
    let (calls, notes, ticks) = (AtomicU64::new(0), AtomicU64::new(0), AtomicU64::new(0));
    let before = memory();
    let began = Instant::now();
    let mut longest = Duration::ZERO;
    let mut builds = std::collections::BTreeSet::new();
    std::thread::scope(|scope| {
        for from in 0..2 {
            let (host, ended, calls) = (&host, &ended, &calls);
            scope.spawn(move || {
                let add = host.runtime().resolve::<(u32, u64), u64>("ledger.add").unwrap();
                let mut number = 0;
                while !ended.load(Ordering::Relaxed) {
                    number += 1;
                    assert_eq!(add.call((from, number)).unwrap(), number);
                }
                calls.fetch_add(number, Ordering::Relaxed);
            });
        }
        let (host, ended, notes, ticks) = (&host, &ended, &notes, &ticks);
        scope.spawn(move || {
            let mut number = 0;
            while !ended.load(Ordering::Relaxed) {
                number += 1;
                let heard = host.runtime().publish(&Note { from: 9, number });
                assert_eq!((heard.missed(), heard.handled + heard.queued), (0, 1), "{heard:?}");
            }
            notes.store(number, Ordering::Relaxed);
        });
        scope.spawn(move || {
            let mut number = 0;
            while !ended.load(Ordering::Relaxed) {
                number += 1;
                let heard = host.runtime().publish(&Tick { timestamp_ns: 0, tick_number: number });
                assert_eq!((heard.missed(), heard.handled + heard.queued), (0, 1), "{heard:?}");
            }
            ticks.store(number, Ordering::Relaxed);
        });
        for build in 1..=reloads {
            let bytes = support::patched(&first, number_of(0).as_bytes(), number_of(build).as_bytes());
            fs::write(&path, bytes).unwrap();
            let reloaded = host.reload("ledger", None).unwrap();
            assert!(reloaded.changed && reloaded.lost == 0, "{reloaded:?}");
            assert!(builds.insert(reloaded.build), "every file has another build id");
            longest = longest.max(Duration::from_secs_f64(reloaded.closed));
            let answers: String = host.runtime().call::<(), String>("ledger.build", ()).unwrap();
            assert_eq!(answers, number_of(build), "the code that answers is the one that was loaded");
        }
        ended.store(true, Ordering::Relaxed);
    });
    let took = began.elapsed();
    let after = memory();
    // What was put aside for the module while it was busy has come by then.
    host.runtime().poll(Duration::ZERO);
    let (called, noted, ticked, faults): Totals = host.runtime().call::<(), Totals>("ledger.totals", ()).unwrap();
    assert_eq!(faults, 0, "no number is missing, and none came twice");
    assert_eq!(called.values().sum::<u64>(), calls.into_inner());
    assert_eq!(noted[&9], notes.into_inner());
    assert_eq!(ticked, ticks.into_inner());
    let (libraries, bytes) = host.mapped();
    assert_eq!(libraries, reloads + 1);
    println!(
        "{reloads} reloads in {took:.1?}, under {} calls, {} events and {ticked} ticks; callers waited {longest:.1?} at most",
        called.values().sum::<u64>(),
        noted[&9]
    );
    println!(
        "memory of its own {} -> {} KiB ({} a reload), of files {} -> {} KiB, {} -> {} mappings; {libraries} libraries, {} KiB of files",
        before.0,
        after.0,
        after.0.saturating_sub(before.0) / reloads as u64,
        before.1,
        after.1,
        before.2,
        after.2,
        bytes / 1024
    );
    host.stop().unwrap();
}
