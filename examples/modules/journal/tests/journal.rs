//! What is published is remembered.
#![forbid(unsafe_code)]
#![allow(missing_docs)]

use demo_contracts::{Entry, JournalClient};
use helix_runtime::prelude::*;
use helix_runtime::{ConfigMap, Runtime, modules};
use journal::Journal;
use timer::Timer;

fn runtime(capacity: &str) -> (Runtime, JournalClient) {
    let config: ConfigMap = [("journal.capacity", capacity)].into_iter().collect();
    let runtime = Runtime::builder().config(config).modules(modules![Journal, Timer]).build().unwrap();
    runtime.start().unwrap();
    let journal = runtime.service().unwrap();
    (runtime, journal)
}

fn plug(runtime: &Runtime, cpu_id: u32) {
    assert_eq!(runtime.publish(&CpuHotplug { cpu_id, online: false }).handled, 1);
}

fn lines(entries: Vec<Entry>) -> Vec<String> {
    entries
        .into_iter()
        .map(|entry| format!("{} {} {} x{}", entry.number, entry.name, entry.detail, entry.count))
        .collect()
}

#[test]
fn every_event_is_heard_and_the_last_are_kept() {
    let (runtime, journal) = runtime("3");
    (0..5).for_each(|cpu| plug(&runtime, cpu));
    assert_eq!(
        lines(journal.last(10).unwrap()),
        ["5 cpu-hotplug cpu 2 offline x1", "6 cpu-hotplug cpu 3 offline x1", "7 cpu-hotplug cpu 4 offline x1"]
    );
    assert_eq!(lines(journal.last(1).unwrap()), ["7 cpu-hotplug cpu 4 offline x1"]);
    assert!(journal.last(0).unwrap().is_empty());
    let stats = journal.stats().unwrap();
    assert_eq!((stats.entries, stats.capacity, stats.forgotten, stats.events), (3, 3, 4, 7));
}

#[test]
fn a_run_of_interrupts_and_ticks_is_one_entry_each() {
    let (runtime, journal) = runtime("64");
    let raise = |count| assert!(runtime.publish(&Interrupt { line: 0, count }).is_clean());
    (0..100).for_each(|_| raise(1));
    plug(&runtime, 1);
    (0..3).for_each(|_| raise(2));
    assert_eq!(
        lines(journal.last(5).unwrap()),
        [
            "3 interrupt line 0 x100",
            "4 tick number 100 x100",
            "5 cpu-hotplug cpu 1 offline x1",
            "6 interrupt line 0 x3",
            "7 tick number 106 x3",
        ]
    );
    assert_eq!(journal.last(1).unwrap()[0].at_ns, 106_000_000);
}

#[test]
fn events_are_counted_by_name_a_user_s_own_too() {
    let (runtime, journal) = runtime("64");
    plug(&runtime, 1);
    plug(&runtime, 2);
    assert_eq!(runtime.publish(&Event::Custom(Custom::new("net.packet", [1, 2, 3]))).handled, 1);
    let counts = journal.counts().unwrap();
    let count = |name: &str| counts.iter().find(|count| count.name == name).map(|count| count.count);
    assert_eq!((count("cpu-hotplug"), count("net.packet"), count("tick")), (Some(2), Some(1), None));
    assert_eq!(journal.last(1).unwrap()[0].detail, "3 bytes");
}

#[test]
fn it_shrinks_and_expands() {
    let (runtime, journal) = runtime("8");
    (0..8).for_each(|cpu| plug(&runtime, cpu));
    assert_eq!(journal.shrink(2).unwrap(), 6);
    plug(&runtime, 8);
    assert_eq!(lines(journal.last(9).unwrap()), ["10 cpu-hotplug cpu 7 offline x1", "11 cpu-hotplug cpu 8 offline x1"]);
    assert_eq!(journal.expand().unwrap(), 8);
    (0..9).for_each(|cpu| plug(&runtime, cpu));
    assert_eq!(journal.stats().unwrap().entries, 8);
    assert_eq!(journal.shrink(100).unwrap(), 0);
    assert_eq!(journal.stats().unwrap().capacity, 8);
    let refused = journal.shrink(0).unwrap_err().to_string();
    assert_eq!(refused, "a journal of 0 entries: it keeps 1 to 8; ask for a number in that range");
}

#[test]
fn a_capacity_that_is_none_is_refused() {
    for capacity in ["0", "65537"] {
        let config: ConfigMap = [("journal.capacity", capacity)].into_iter().collect();
        let runtime = Runtime::builder().config(config).modules(modules![Journal]).build().unwrap();
        let error = runtime.start().unwrap_err();
        assert_eq!((error.module.as_str(), error.step), ("journal", "on_init"));
    }
}
