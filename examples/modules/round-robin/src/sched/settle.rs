//! Who runs where: restores, after any change, what is always true of a scheduler.
//!
//! - A CPU that is online does not idle while a task waits.
//! - No task waits while one of a lower level runs.
//! - Within a level, whoever has waited longest is served first, on whichever CPU is free. This makes it one round robin
//!   over all CPUs: the shares of tasks of one level that never block differ by at most a slice.

use super::Sched;
use super::queue::Place;
use super::task::{Pid, State};

impl Sched {
    pub(super) fn settle(&mut self) {
        self.fill();
        while let Some((cpu, place)) = self.to_preempt() {
            let Some(pid) = self.take_next() else { break };
            if let Some(preempted) = self.cpus[cpu].running.take() {
                // It keeps its turn and the rest of its slice: it goes on as soon as its level is served again.
                self.put_in_line(preempted, cpu, place.turn);
            }
            self.run(pid, cpu);
        }
    }

    /// Gives work to the CPUs that idle.
    fn fill(&mut self) {
        let idle = self.cpus.iter().filter(|cpu| cpu.is_idle()).count();
        let mut next = core::mem::take(&mut self.next);
        next.extend((0..idle).map_while(|_| self.take_next()));
        // Where it can, a task stays on its CPU, whose caches know it; the others take what is left.
        next.retain(|&pid| {
            let home = self.tasks[&pid].home;
            let at_home = self.cpus[home].is_idle();
            if at_home {
                self.run(pid, home);
            }
            !at_home
        });
        for pid in next.drain(..) {
            if let Some(cpu) = self.cpus.iter().position(super::Cpu::is_idle) {
                self.run(pid, cpu);
            }
        }
        self.next = next;
    }

    /// The CPU whose task must make room for one that waits, and that task's place.
    fn to_preempt(&self) -> Option<(usize, Place)> {
        let first = self.cpus.iter().filter_map(|cpu| cpu.queue.first()).max_by_key(|place| place.level)?;
        let runs = |(at, cpu): (usize, &super::Cpu)| {
            let task = &self.tasks[&cpu.running?];
            Some((at, Place { level: task.level, turn: task.turn }))
        };
        let last = |a: Option<(usize, Place)>, b: (usize, Place)| match a {
            Some(a) if b.1.before(a.1) => Some(a),
            _ => Some(b),
        };
        let last = self.cpus.iter().enumerate().filter_map(runs).fold(None, last)?;
        (last.1.level < first.level).then_some(last)
    }

    /// Takes the task that is served next out of its queue, whosever it is.
    fn take_next(&mut self) -> Option<Pid> {
        let mut next: Option<(usize, Place)> = None;
        for (at, cpu) in self.cpus.iter().enumerate() {
            if let Some(place) = cpu.queue.first()
                && next.is_none_or(|(_, best)| place.before(best))
            {
                next = Some((at, place));
            }
        }
        self.cpus[next?.0].queue.pop()
    }

    /// Lets a task run on a CPU that is free.
    fn run(&mut self, pid: Pid, at: usize) {
        let (task, cpu) = (self.tasks.get_mut(&pid).expect("a queue holds tasks that exist"), &mut self.cpus[at]);
        if task.home != at {
            cpu.steals += 1;
            task.migrations += u64::from(task.switches > 0);
        }
        if cpu.last != Some(pid) {
            cpu.switches += 1;
            task.switches += 1;
        }
        task.enter(State::Running(at), self.clock);
        (cpu.running, cpu.last) = (Some(pid), Some(pid));
    }

    /// Puts a task into the line of a CPU, or of the one with the least to do if that one is offline.
    pub(super) fn put_in_line(&mut self, pid: Pid, cpu: usize, turn: u64) {
        let at = if self.cpus.get(cpu).is_some_and(|cpu| cpu.online) { cpu } else { self.quietest() };
        let task = self.tasks.get_mut(&pid).expect("only tasks that exist are put in line");
        task.turn = turn;
        task.enter(State::Ready(at), self.clock);
        self.cpus[at].queue.insert(Place { level: task.level, turn }, pid);
    }

    /// The CPU that is online and has the least to do.
    pub(super) fn quietest(&self) -> usize {
        let online = self.cpus.iter().enumerate().filter(|(_, cpu)| cpu.online);
        online.min_by_key(|(_, cpu)| cpu.load()).map_or(0, |(at, _)| at)
    }
}
