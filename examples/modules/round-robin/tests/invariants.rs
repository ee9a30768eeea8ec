//! What is always true of a scheduler, whatever is done with it: after every short sequence of operations, and along
//! long ones.
#![forbid(unsafe_code)]

use std::collections::BTreeMap;

use round_robin::sched::{LEVELS, Pid, Sched, State};

#[derive(Debug, Clone, Copy)]
enum Op {
    Spawn(usize),
    Block(Pid),
    Wake(Pid),
    Exit(Pid),
    Online(usize, bool),
    Tick(u64),
    /// Save, and restore in a new instance.
    Replace,
}

/// A scheduler, and what its accounts must add up to.
#[derive(Clone)]
struct Model {
    sched: Sched,
    born: BTreeMap<Pid, u64>,
    online: Vec<u64>,
    exited: u64,
    done: Vec<Op>,
}

impl Model {
    fn new(cpus: usize, slice: u64) -> Self {
        let sched = Sched::new(cpus, slice);
        Self { sched, born: BTreeMap::new(), online: vec![0; cpus], exited: 0, done: Vec::new() }
    }

    fn apply(&mut self, op: Op) {
        self.done.push(op);
        // A refusal is fine: what must hold must hold after it too.
        match op {
            Op::Spawn(level) => {
                let pid = self.sched.spawn("t".into(), level).unwrap();
                self.born.insert(pid, self.sched.clock());
            }
            Op::Block(pid) => drop(self.sched.block(pid)),
            Op::Wake(pid) => drop(self.sched.wake(pid)),
            Op::Exit(pid) => {
                if let Ok(task) = self.sched.exit(pid) {
                    assert_eq!(task.run + task.waited + task.blocked, self.sched.clock() - self.born[&pid]);
                    self.exited += task.run;
                    self.born.remove(&pid);
                }
            }
            Op::Online(cpu, online) => drop(self.sched.set_online(cpu, online)),
            Op::Tick(elapsed) => {
                for (total, cpu) in self.online.iter_mut().zip(self.sched.cpus()) {
                    *total += if cpu.online { elapsed } else { 0 };
                }
                self.sched.tick(elapsed);
            }
            Op::Replace => {
                let parts = self.sched.parts();
                self.sched = Sched::from_parts(parts.cpus.len(), self.sched.slice(), parts.clone()).unwrap();
                let again = self.sched.parts();
                assert_eq!(
                    (again.clock, again.next_pid, again.tasks.len()),
                    (parts.clock, parts.next_pid, parts.tasks.len())
                );
                for (task, before) in again.tasks.iter().zip(&parts.tasks) {
                    assert_eq!((task.pid, task.run, task.waited), (before.pid, before.run, before.waited));
                    assert_eq!(task.state == State::Blocked, before.state == State::Blocked);
                }
            }
        }
        self.check();
    }

    fn check(&self) {
        let (sched, done) = (&self.sched, &self.done);
        let mut places: BTreeMap<Pid, Vec<State>> = BTreeMap::new();
        for (at, cpu) in sched.cpus().iter().enumerate() {
            cpu.running.into_iter().for_each(|pid| places.entry(pid).or_default().push(State::Running(at)));
            cpu.queue.iter().for_each(|pid| places.entry(pid).or_default().push(State::Ready(at)));
            assert!(
                cpu.online || (cpu.running.is_none() && cpu.queue.is_empty()),
                "a CPU that is gone has tasks: {done:?}"
            );
            assert_eq!(cpu.busy + cpu.idle, self.online[at], "cpu {at}: {done:?}");
        }
        let tasks: Vec<_> = sched.tasks().collect();
        for task in &tasks {
            let expected = if task.state == State::Blocked { vec![] } else { vec![task.state] };
            let found = places.remove(&task.pid).unwrap_or_default();
            assert_eq!(found, expected, "a task is in exactly one place: {done:?}");
            let spent = task.run + task.waited + task.blocked;
            assert_eq!(spent, sched.clock() - self.born[&task.pid], "all its time is accounted for: {done:?}");
            assert!(task.slice_left >= 1 && task.slice_left <= sched.slice(), "{done:?}");
        }
        assert!(places.is_empty(), "a CPU has a task that does not exist: {done:?}");

        let waiting = tasks.iter().filter(|task| matches!(task.state, State::Ready(_))).map(|task| task.level).max();
        let running = tasks.iter().filter(|task| matches!(task.state, State::Running(_))).map(|task| task.level).min();
        if let Some(waiting) = waiting {
            assert!(!sched.cpus().iter().any(|cpu| cpu.is_idle()), "a CPU idles while a task waits: {done:?}");
            assert!(running.is_some_and(|running| running >= waiting), "a lower level runs: {done:?}");
        }
        let run: u64 = tasks.iter().map(|task| task.run).sum::<u64>() + self.exited;
        assert_eq!(run, sched.cpus().iter().map(|cpu| cpu.busy).sum::<u64>(), "CPUs ran what tasks ran: {done:?}");
    }
}

#[test]
fn what_is_always_true_is_true_after_every_short_sequence() {
    let mut ops = vec![Op::Tick(1), Op::Tick(3), Op::Replace];
    ops.extend((0..LEVELS).map(Op::Spawn));
    ops.extend((1..=3).flat_map(|pid| [Op::Block(pid), Op::Wake(pid), Op::Exit(pid)]));
    ops.extend((0..2).flat_map(|cpu| [Op::Online(cpu, false), Op::Online(cpu, true)]));

    fn walk(model: &Model, ops: &[Op], depth: usize) {
        for &op in ops {
            let mut next = model.clone();
            next.apply(op);
            if depth > 1 {
                walk(&next, ops, depth - 1);
            }
        }
    }
    let mut start = Model::new(2, 2);
    [Op::Spawn(0), Op::Spawn(1), Op::Spawn(1), Op::Tick(1)].into_iter().for_each(|op| start.apply(op));
    walk(&start, &ops, 4);
}

#[test]
fn what_is_always_true_is_true_along_long_sequences() {
    // Knuth's MMIX generator: the same sequences on each run.
    struct Random(u64);
    impl Random {
        fn below(&mut self, bound: u64) -> u64 {
            self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (self.0 >> 33) % bound
        }
    }
    for seed in 0..20 {
        let mut random = Random(seed);
        let cpus = 1 + random.below(6);
        let mut model = Model::new(cpus as usize, 1 + random.below(7));
        for _ in 0..2000 {
            let pid = 1 + random.below(model.sched.totals().0 + 1);
            let op = match random.below(20) {
                0 if model.sched.tasks().count() < 12 => Op::Spawn(random.below(LEVELS as u64) as usize),
                1 => Op::Exit(pid),
                2..=3 => Op::Block(pid),
                4..=6 => Op::Wake(pid),
                7..=8 => Op::Online(random.below(cpus + 1) as usize, random.below(2) == 0),
                9 => Op::Replace,
                _ => Op::Tick(random.below(4)),
            };
            model.apply(op);
            model.done.drain(..model.done.len().saturating_sub(20));
        }
    }
}

#[test]
fn a_scheduler_is_restored_on_fewer_and_on_more_cpus() {
    let mut sched = Sched::new(4, 5);
    for level in [0, 1, 1, 1, 2, 2] {
        sched.spawn("t".into(), level).unwrap();
    }
    sched.tick(1);
    for cpus in [1, 2, 8] {
        let restored = Sched::from_parts(cpus, 3, sched.parts()).unwrap();
        assert_eq!(restored.tasks().count(), 6);
        assert_eq!(restored.cpus().iter().filter(|cpu| cpu.running.is_some()).count(), cpus.min(6));
        assert!(restored.tasks().all(|task| task.slice_left <= 3));
    }
}

#[test]
fn parts_that_contradict_themselves_are_refused() {
    let mut sched = Sched::new(1, 5);
    sched.spawn("t".into(), 1).unwrap();
    sched.spawn("t".into(), 1).unwrap();
    let sound = sched.parts();
    let mut turn = sound.clone();
    turn.tasks[0].turn = turn.tasks[1].turn;
    let mut twice = sound.clone();
    twice.tasks.push(twice.tasks[0].clone());
    let mut level = sound.clone();
    level.tasks[0].level = LEVELS;
    let mut pid = sound.clone();
    pid.next_pid = 1;
    for parts in [twice, turn, level, pid] {
        assert!(Sched::from_parts(1, 5, parts).is_err());
    }
    assert!(Sched::from_parts(1, 5, sound).is_ok());
}
