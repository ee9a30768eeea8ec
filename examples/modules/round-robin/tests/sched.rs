//! The scheduling, tick by tick.
#![forbid(unsafe_code)]

use round_robin::sched::{Pid, Refusal, Sched, State, Task};

const LOW: usize = 0;
const NORMAL: usize = 1;
const HIGH: usize = 2;

fn spawn(sched: &mut Sched, level: usize) -> Pid {
    sched.spawn(format!("level {level}"), level).unwrap()
}

fn task(sched: &Sched, pid: Pid) -> Task {
    sched.tasks().find(|task| task.pid == pid).unwrap()
}

fn pass(sched: &mut Sched, ticks: u64) {
    (0..ticks).for_each(|_| sched.tick(1));
}

#[test]
fn three_tasks_share_two_cpus_fairly() {
    for slice in [1, 3, 5, 10, 50] {
        let mut sched = Sched::new(2, slice);
        for _ in 0..3 {
            spawn(&mut sched, NORMAL);
        }
        pass(&mut sched, 1000);
        for task in sched.tasks() {
            let fair = 2000.0 / 3.0;
            assert!((task.run as f64 - fair).abs() <= slice as f64, "slice {slice}: {} of {fair}", task.run);
            assert_eq!(task.run + task.waited, 1000);
        }
        assert!(sched.cpus().iter().all(|cpu| cpu.busy == 1000 && cpu.idle == 0));
    }
}

#[test]
fn any_number_of_tasks_shares_any_number_of_cpus_fairly() {
    for cpus in 1..=5 {
        for tasks in 1..=9 {
            let mut sched = Sched::new(cpus, 4);
            for _ in 0..tasks {
                spawn(&mut sched, NORMAL);
            }
            pass(&mut sched, 997);
            let fair = 997.0 * (cpus.min(tasks) as f64 / tasks as f64);
            for task in sched.tasks() {
                assert!((task.run as f64 - fair).abs() <= 4.0, "{tasks} on {cpus}: {} of {fair}", task.run);
            }
        }
    }
}

#[test]
fn a_lower_level_runs_on_what_a_higher_one_leaves() {
    let mut sched = Sched::new(2, 5);
    let low = [spawn(&mut sched, LOW), spawn(&mut sched, LOW)];
    let normal = spawn(&mut sched, NORMAL);
    let high = spawn(&mut sched, HIGH);
    pass(&mut sched, 100);
    assert_eq!((task(&sched, high).run, task(&sched, normal).run), (100, 100));
    assert_eq!(low.map(|pid| task(&sched, pid).run), [0, 0]);

    sched.block(high).unwrap();
    pass(&mut sched, 100);
    assert_eq!(task(&sched, normal).run, 200);
    assert_eq!(low.map(|pid| task(&sched, pid).run), [50, 50]);
}

#[test]
fn a_task_that_wakes_takes_the_cpu_from_a_lower_one_at_once() {
    let mut sched = Sched::new(1, 10);
    let high = spawn(&mut sched, HIGH);
    sched.block(high).unwrap();
    let (a, b) = (spawn(&mut sched, LOW), spawn(&mut sched, LOW));
    pass(&mut sched, 4);
    sched.wake(high).unwrap();
    assert_eq!(task(&sched, high).state, State::Running(0));
    pass(&mut sched, 3);
    sched.block(high).unwrap();
    // The one that made room has its turn and the rest of its slice still.
    assert_eq!((task(&sched, a).state, task(&sched, a).slice_left), (State::Running(0), 6));
    pass(&mut sched, 6);
    assert_eq!((task(&sched, a).run, task(&sched, b).state), (10, State::Running(0)));
}

#[test]
fn a_blocked_task_never_runs() {
    let mut sched = Sched::new(2, 2);
    let (blocked, other) = (spawn(&mut sched, HIGH), spawn(&mut sched, LOW));
    pass(&mut sched, 7);
    sched.block(blocked).unwrap();
    pass(&mut sched, 500);
    let account = task(&sched, blocked);
    assert_eq!((account.run, account.waited, account.blocked), (7, 0, 500));
    assert_eq!(task(&sched, other).run, 507);
    assert_eq!(sched.cpus().iter().map(|cpu| cpu.idle).sum::<u64>(), 500);
    assert_eq!(sched.block(blocked), Err(Refusal::Blocked { pid: blocked }));
    assert_eq!(sched.wake(other), Err(Refusal::NotBlocked { pid: other, found: State::Running(1) }));
    assert_eq!(sched.wake(99), Err(Refusal::NoSuchTask { pid: 99, tasks: 2 }));
}

#[test]
fn a_cpu_that_goes_leaves_its_tasks_to_the_others_and_one_that_comes_is_given_some() {
    let mut sched = Sched::new(3, 5);
    for _ in 0..7 {
        spawn(&mut sched, NORMAL);
    }
    pass(&mut sched, 12);
    assert_eq!(sched.set_online(1, false), Ok(true));
    assert_eq!(sched.set_online(1, false), Ok(false));
    let gone = &sched.cpus()[1];
    assert!(gone.running.is_none() && gone.queue.is_empty());
    assert!(sched.tasks().all(|task| !matches!(task.state, State::Running(1) | State::Ready(1))));
    let before: u64 = gone.busy + gone.idle;
    pass(&mut sched, 100);
    assert_eq!(sched.cpus()[1].busy + sched.cpus()[1].idle, before);

    assert_eq!(sched.set_online(1, true), Ok(true));
    assert!(sched.cpus()[1].running.is_some());
    pass(&mut sched, 700);
    let runs: Vec<u64> = sched.tasks().map(|task| task.run).collect();
    let (least, most) = (runs.iter().min().unwrap(), runs.iter().max().unwrap());
    assert!(most - least <= 2 * 5, "{runs:?}");
    assert!(!sched.cpus()[1].queue.is_empty());
}

#[test]
fn the_last_cpu_and_one_that_is_not_there_are_refused() {
    let mut sched = Sched::new(2, 5);
    assert_eq!(sched.set_online(2, true), Err(Refusal::NoSuchCpu { cpu: 2, cpus: 2 }));
    sched.set_online(0, false).unwrap();
    assert_eq!(sched.set_online(1, false), Err(Refusal::LastCpu { cpu: 1 }));
    let pid = spawn(&mut sched, NORMAL);
    assert_eq!(task(&sched, pid).state, State::Running(1));
}

#[test]
fn merged_ticks_are_charged_to_whoever_ran() {
    let mut sched = Sched::new(1, 5);
    let (a, b) = (spawn(&mut sched, NORMAL), spawn(&mut sched, NORMAL));
    sched.tick(12);
    sched.tick(0);
    assert_eq!((task(&sched, a).run, task(&sched, b).waited, sched.clock()), (12, 12, 12));
    assert_eq!(task(&sched, b).state, State::Running(0));
}

#[test]
fn going_on_with_the_same_task_is_no_switch() {
    let mut sched = Sched::new(2, 5);
    let alone = spawn(&mut sched, NORMAL);
    pass(&mut sched, 50);
    assert_eq!((task(&sched, alone).switches, sched.cpus()[0].switches), (1, 1));
    sched.block(alone).unwrap();
    sched.wake(alone).unwrap();
    assert_eq!((task(&sched, alone).switches, task(&sched, alone).migrations), (2, 0));
}

#[test]
fn an_account_is_closed_when_its_task_exits() {
    let mut sched = Sched::new(1, 5);
    let (a, b) = (spawn(&mut sched, NORMAL), spawn(&mut sched, NORMAL));
    pass(&mut sched, 8);
    let account = sched.exit(b).unwrap();
    assert_eq!((account.run, account.waited), (3, 5));
    assert_eq!(sched.exit(b), Err(Refusal::NoSuchTask { pid: b, tasks: 1 }));
    assert_eq!((task(&sched, a).state, sched.totals()), (State::Running(0), (2, 1)));
}
