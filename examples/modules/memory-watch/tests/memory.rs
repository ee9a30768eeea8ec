//! Memory pressure comes and goes, with a real journal and a real scheduler.
#![forbid(unsafe_code)]

use demo_contracts::{JournalClient, MemoryClient, Priority, SchedulerClient, TaskState};
use helix_runtime::prelude::*;
use helix_runtime::{ConfigMap, Runtime, modules};

struct System {
    runtime: Runtime,
    journal: JournalClient,
    scheduler: SchedulerClient,
    memory: MemoryClient,
}

impl System {
    fn new() -> Self {
        let config: ConfigMap =
            [("memory-watch.moderate_entries", "5"), ("memory-watch.critical_entries", "2")].into_iter().collect();
        let set = modules![memory_watch::MemoryWatch, round_robin::RoundRobin, journal::Journal, timer::Timer];
        let runtime = Runtime::builder().config(config).modules(set).build().unwrap();
        runtime.start().unwrap();
        let (journal, scheduler) = (runtime.service().unwrap(), runtime.service().unwrap());
        let memory = runtime.service().unwrap();
        Self { runtime, journal, scheduler, memory }
    }

    fn press(&self, level: PressureLevel) {
        let result = self.runtime.publish(&MemoryPressure { level });
        assert_eq!((result.handled, result.first_error), (2, None), "the journal and the watch");
    }

    fn capacity(&self) -> u32 {
        self.journal.stats().unwrap().capacity
    }

    fn blocked(&self) -> Vec<u64> {
        let tasks = self.scheduler.stats().unwrap().tasks;
        tasks.iter().filter(|task| task.state == TaskState::Blocked).map(|task| task.pid).collect()
    }
}

#[test]
fn those_who_are_needed_start_first_wherever_they_are_listed() {
    let order: Vec<_> = System::new().runtime.modules().iter().map(|module| module.info.name).collect();
    assert_eq!(order, ["journal", "timer", "scheduler.round-robin", "memory-watch"]);
}

#[test]
fn the_journal_shrinks_and_background_tasks_are_blocked_until_there_is_memory_again() {
    let system = System::new();
    for priority in [Priority::Background, Priority::Normal, Priority::Background, Priority::High] {
        system.scheduler.spawn("t", priority).unwrap();
    }
    let before = system.journal.stats().unwrap().entries;

    system.press(PressureLevel::Moderate);
    assert_eq!((system.capacity(), system.blocked()), (5, vec![]));
    system.press(PressureLevel::Critical);
    assert_eq!((system.capacity(), system.blocked()), (2, vec![1, 3]));
    let report = system.memory.report().unwrap();
    assert_eq!((report.level, report.parked, report.changes), (PressureLevel::Critical, vec![1, 3], 2));
    // The journal hears of the pressure before it is asked to shrink: one entry more each time.
    assert_eq!(report.entries_freed, u64::from(before + 1 - 5) + (5 - 2));

    system.press(PressureLevel::Normal);
    assert_eq!((system.capacity(), system.blocked()), (64, vec![]));
    let report = system.memory.report().unwrap();
    assert_eq!((report.parked, report.tasks_parked, report.tasks_woken, report.tasks_gone), (vec![], 2, 2, 0));
}

#[test]
fn a_task_that_someone_else_blocked_is_left_alone() {
    let system = System::new();
    for _ in 0..2 {
        system.scheduler.spawn("t", Priority::Background).unwrap();
    }
    system.scheduler.block(1).unwrap();
    system.press(PressureLevel::Critical);
    system.press(PressureLevel::Normal);
    assert_eq!(system.blocked(), [1]);
}

#[test]
fn critical_again_blocks_those_who_came_since() {
    let system = System::new();
    system.scheduler.spawn("t", Priority::Background).unwrap();
    system.press(PressureLevel::Critical);
    system.scheduler.spawn("t", Priority::Background).unwrap();
    assert_eq!(system.blocked(), [1]);
    system.press(PressureLevel::Critical);
    assert_eq!(system.blocked(), [1, 2]);
    assert_eq!(system.memory.report().unwrap().changes, 1);
    system.press(PressureLevel::Moderate);
    assert_eq!((system.capacity(), system.blocked()), (5, vec![]));
}

#[test]
fn a_task_that_is_gone_or_was_woken_meanwhile_is_no_failure() {
    let system = System::new();
    for _ in 0..3 {
        system.scheduler.spawn("t", Priority::Background).unwrap();
    }
    system.press(PressureLevel::Critical);
    system.scheduler.wake(1).unwrap();
    system.scheduler.exit(2, 0).unwrap();
    system.press(PressureLevel::Normal);
    let report = system.memory.report().unwrap();
    assert_eq!((report.tasks_woken, report.tasks_gone, report.parked), (1, 2, vec![]));
    assert_eq!(system.blocked(), [0; 0]);
}
