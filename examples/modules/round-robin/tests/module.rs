//! The scheduler as a module, driven by a timer's ticks.
#![forbid(unsafe_code)]
#![allow(missing_docs)]

use demo_contracts::{Priority, SchedulerClient, SchedulerError, SchedulerStats, TaskState};
use helix_runtime::prelude::*;
use helix_runtime::{Builder, ConfigMap, Runtime, modules};
use round_robin::RoundRobin;
use timer::Timer;

/// Hears what happens to processes.
#[helix_module(name = "listener")]
#[derive(Default)]
pub struct Listener {
    heard: Vec<String>,
}

#[helix_handlers]
impl Listener {
    #[on_event(Process)]
    fn process(&mut self, event: &Event) {
        self.heard.push(match event {
            Event::ProcessCreated(process) => format!("created {}", process.pid),
            Event::ProcessExited(process) => format!("exited {} with {}", process.pid, process.code),
            other => other.name().to_string(),
        });
    }

    #[on_request]
    fn heard(&self) -> Vec<String> {
        self.heard.clone()
    }
}

fn builder(config: &[(&str, &str)]) -> Builder {
    let config: ConfigMap = config.iter().copied().collect();
    Runtime::builder().config(config).modules(modules![RoundRobin, Listener, Timer])
}

fn started(builder: Builder) -> Runtime {
    let runtime = builder.build().unwrap();
    runtime.start().unwrap();
    runtime
}

fn runtime(config: &[(&str, &str)]) -> Runtime {
    started(builder(config))
}

fn raise(runtime: &Runtime, count: u32) {
    let result = runtime.publish(&Interrupt { line: 0, count });
    assert!(result.is_clean(), "{result:?}");
}

fn scheduler(runtime: &Runtime) -> SchedulerClient {
    runtime.service().unwrap()
}

fn runs(stats: &SchedulerStats) -> Vec<u64> {
    stats.tasks.iter().map(|task| task.run).collect()
}

#[test]
fn interrupts_become_ticks_become_shares() {
    let runtime = runtime(&[]);
    let scheduler = scheduler(&runtime);
    for name in ["a", "b", "c"] {
        scheduler.spawn(name, Priority::Normal).unwrap();
    }
    (0..1000).for_each(|_| raise(&runtime, 1));
    let stats = scheduler.stats().unwrap();
    assert_eq!((stats.ticks, stats.time_slice, stats.cpus.len()), (1000, 5, 2));
    assert!(runs(&stats).iter().all(|run| (662..=672).contains(run)), "{:?}", runs(&stats));
}

#[test]
fn ticks_that_were_merged_are_not_lost_and_one_that_comes_twice_counts_once() {
    let runtime = runtime(&[("scheduler.round-robin.cpus", "1")]);
    let scheduler = scheduler(&runtime);
    scheduler.spawn("a", Priority::Normal).unwrap();
    raise(&runtime, 7);
    raise(&runtime, 1);
    let again = runtime.publish(&Tick { timestamp_ns: 0, tick_number: 8 });
    assert_eq!((again.handled, again.ignored), (0, 1));
    assert_eq!(scheduler.stats().unwrap().tasks[0].run, 8);
}

#[test]
fn processes_are_announced() {
    let runtime = runtime(&[]);
    let scheduler = scheduler(&runtime);
    let pid = scheduler.spawn("a", Priority::High).unwrap();
    let account = scheduler.exit(pid, -9).unwrap();
    assert_eq!((account.name.as_str(), account.state), ("a", TaskState::Exited { code: -9 }));
    let heard: Vec<String> = runtime.call::<(), _>("listener.heard", ()).unwrap();
    assert_eq!(heard, ["created 1", "exited 1 with -9"]);
    let stats = scheduler.stats().unwrap();
    assert_eq!((stats.handled, stats.missed, stats.spawned, stats.exited), (2, 0, 1, 1));
}

#[test]
fn a_refusal_says_what_was_found_and_what_was_expected() {
    let runtime = runtime(&[]);
    let scheduler = scheduler(&runtime);
    let pid = scheduler.spawn("a", Priority::Normal).unwrap();
    let refused = scheduler.wake(pid).unwrap_err();
    assert_eq!(refused.to_string(), "task 1 is running on cpu 0, expected blocked");
    scheduler.block(pid).unwrap();
    let refused = scheduler.block(pid).unwrap_err();
    assert_eq!(refused.to_string(), "task 1 is blocked, expected running or ready");
    assert_eq!(scheduler.exit(5, 0), Err(CallError::Handler(SchedulerError::NoSuchTask { pid: 5, tasks: 1 })));
}

#[test]
fn hot_plugged_cpus_are_drained_and_filled() {
    let runtime = runtime(&[("scheduler.round-robin.cpus", "3")]);
    let scheduler = scheduler(&runtime);
    for _ in 0..5 {
        scheduler.spawn("a", Priority::Normal).unwrap();
    }
    let plug = |cpu_id, online| runtime.publish(&CpuHotplug { cpu_id, online });
    assert_eq!(plug(2, false).handled, 1);
    assert_eq!(plug(2, false).ignored, 1);
    let stats = scheduler.stats().unwrap();
    let gone = stats.cpus[2];
    assert_eq!((gone.online, gone.running, gone.waiting), (false, None, 0));
    assert!(
        stats
            .tasks
            .iter()
            .all(|task| !matches!(task.state, TaskState::Running { cpu: 2 } | TaskState::Ready { cpu: 2 }))
    );
    assert_eq!(plug(2, true).handled, 1);
    assert!(scheduler.stats().unwrap().cpus[2].running.is_some());

    assert_eq!(plug(0, false).handled + plug(1, false).handled, 2);
    let refused = plug(2, false).first_error.unwrap();
    assert_eq!(refused.0, "scheduler.round-robin");
    assert_eq!(refused.1.to_string(), "cpu 2 is the only one online; bring another online before it goes");
}

#[test]
fn a_later_instance_goes_on_where_the_earlier_one_was() {
    let old = runtime(&[]);
    let scheduler_of_old = scheduler(&old);
    for name in ["a", "b", "c"] {
        scheduler_of_old.spawn(name, Priority::Normal).unwrap();
    }
    scheduler_of_old.block(3).unwrap();
    raise(&old, 1);
    (0..41).for_each(|_| raise(&old, 1));
    let saved = old.save("scheduler.round-robin").unwrap().unwrap();
    let before = scheduler_of_old.stats().unwrap();

    // In another runtime, whose clock starts anew.
    let new = started(builder(&[]).state(saved));
    let scheduler = scheduler(&new);
    assert_eq!(scheduler.stats().unwrap().tasks, before.tasks);
    raise(&new, 2);
    assert_eq!(scheduler.stats().unwrap().ticks, before.ticks + 2);
    assert_eq!(scheduler.spawn("d", Priority::Normal).unwrap(), 4);
}

#[test]
fn ticks_while_it_was_stopped_are_nobody_s_time() {
    let runtime = runtime(&[]);
    let scheduler = scheduler(&runtime);
    scheduler.spawn("a", Priority::Normal).unwrap();
    raise(&runtime, 3);
    runtime.stop().unwrap();
    assert!(matches!(scheduler.stats(), Err(CallError::Ipc(IpcError::NotRunning { .. }))));
    raise(&runtime, 5);
    runtime.start().unwrap();
    raise(&runtime, 2);
    assert_eq!(scheduler.stats().unwrap().tasks[0].run, 5);
}

#[test]
fn no_tick_number_is_too_large() {
    let runtime = runtime(&[]);
    let scheduler = scheduler(&runtime);
    scheduler.spawn("a", Priority::Normal).unwrap();
    raise(&runtime, 9);
    assert!(runtime.publish(&Tick { timestamp_ns: 0, tick_number: u64::MAX }).is_clean());
    assert_eq!(scheduler.stats().unwrap().ticks, u64::MAX);
}

#[test]
fn a_configuration_that_makes_no_sense_is_refused() {
    for (key, value, expected) in [
        ("cpus", "0", "a whole number from 1 to 256"),
        ("cpus", "257", "a whole number from 1 to 256"),
        ("time_slice_ticks", "0", "a whole number, 1 or above"),
    ] {
        let mut config = ConfigMap::default();
        config.set("scheduler.round-robin", key, value);
        let runtime = Runtime::builder().config(config).modules(modules![RoundRobin, Timer]).build().unwrap();
        let error = runtime.start().unwrap_err();
        assert_eq!((error.module.as_str(), error.step), ("scheduler.round-robin", "on_init"));
        assert_eq!(error.error.to_string(), format!("config key `{key}`: found `{value}`, expected {expected}"));
    }
}
