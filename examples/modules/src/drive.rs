//! Drives the modules: raises the clock's interrupts by a real clock, and writes down what is done in between.

use std::collections::BTreeMap;
use std::fmt::Display;
use std::thread;
use std::time::{Duration, Instant};

use demo_contracts::{ClockClient, JournalClient, MemoryClient, SchedulerClient, SchedulerStats, TaskInfo};
use helix_runtime::{CallError, EventType, Interrupt, PublishResult, Runtime};

use crate::failure::Failure;
use crate::report::{Health, Kind, Module, Need, Published, Report, Step, Task};
use crate::script;

/// The modules seen through their contracts, the clock, and the steps so far.
pub struct Drive<'a> {
    runtime: &'a Runtime,
    pub clock: ClockClient,
    pub scheduler: SchedulerClient,
    pub journal: JournalClient,
    pub memory: MemoryClient,
    line: u32,
    period: Duration,
    started: Instant,
    raised: u64,
    steps: Vec<Step>,
    /// By topic: handlers that acted, handlers that were missed.
    told: BTreeMap<&'static str, (u64, u64)>,
}

/// Runs the script for that long and gathers what happened.
pub fn drive(runtime: &Runtime, seconds: f64) -> Result<Report, Failure> {
    let clock: ClockClient = runtime.service()?;
    let stats = clock.stats()?;
    let mut drive = Drive {
        runtime,
        clock,
        scheduler: runtime.service()?,
        journal: runtime.service()?,
        memory: runtime.service()?,
        line: stats.line,
        period: Duration::from_micros(stats.period_us),
        started: Instant::now(),
        raised: 0,
        steps: Vec::new(),
        told: BTreeMap::new(),
    };
    let exited = script::play(&mut drive, Duration::from_secs_f64(seconds))?;
    drive.report(seconds, exited)
}

impl Drive<'_> {
    /// Lets time pass: raises an interrupt each period, and one for several where this thread woke late.
    pub fn run_until(&mut self, at: Duration) {
        loop {
            let now = self.started.elapsed();
            let due = (now.as_nanos() / self.period.as_nanos()) as u64;
            if due > self.raised {
                let count = u32::try_from(due - self.raised).unwrap_or(u32::MAX);
                self.raised += u64::from(count);
                let result = self.runtime.publish(&Interrupt { line: self.line, count });
                self.tell::<Interrupt>(&result);
                continue;
            }
            if now >= at {
                return;
            }
            let next = self.period.as_nanos() * u128::from(self.raised + 1);
            let next = Duration::from_nanos(u64::try_from(next).unwrap_or(u64::MAX));
            thread::sleep(next.min(at).saturating_sub(now));
        }
    }

    /// Publishes an event and writes down what came of it: `then` says what the modules made of it.
    pub fn publish<E: EventType>(
        &mut self,
        what: String,
        event: &E,
        then: impl FnOnce(&Self) -> Result<String, Failure>,
    ) -> Result<(), Failure> {
        let result = self.runtime.publish(event);
        self.tell::<E>(&result);
        let outcome = match &result.first_error {
            Some((module, error)) => format!("{module}: {error}"),
            None => then(self)?,
        };
        self.step(Kind::Event, what, !result.is_clean(), outcome);
        Ok(())
    }

    /// Writes down what came of a request. A refusal is part of the story; only a call that did not get through fails.
    pub fn request<T, E: Display>(
        &mut self,
        what: String,
        reply: Result<T, CallError<E>>,
        outcome: impl FnOnce(&T) -> String,
    ) -> Result<Option<T>, Failure> {
        match reply {
            Ok(value) => {
                self.step(Kind::Request, what, false, outcome(&value));
                Ok(Some(value))
            }
            Err(CallError::Handler(refusal)) => {
                self.step(Kind::Request, what, true, refusal.to_string());
                Ok(None)
            }
            Err(CallError::Ipc(error)) => Err(error.into()),
        }
    }

    fn step(&mut self, kind: Kind, what: String, refused: bool, outcome: String) {
        let at_ms = (self.started.elapsed().as_secs_f64() * 1e4).round() / 10.0;
        self.steps.push(Step { at_ms, kind, what, refused, outcome });
    }

    fn tell<E: EventType>(&mut self, result: &PublishResult) {
        let (handled, missed) = self.told.entry(E::TOPIC).or_default();
        *handled += u64::from(result.handled);
        *missed += u64::from(result.failed) + u64::from(result.dropped);
    }

    fn report(self, seconds: f64, exited: Vec<TaskInfo>) -> Result<Report, Failure> {
        let (clock, scheduler) = (self.clock.stats()?, self.scheduler.stats()?);
        // Asking how everyone is fills the journal with the answers.
        let (journal, last) = (self.journal.stats()?, self.journal.last(4)?);
        let health = self.runtime.health().into_iter().map(|health| Health {
            module: health.module.into(),
            healthy: health.healthy,
            reason: health.reason.map(|reason| reason.to_string()),
        });
        Ok(Report {
            seconds,
            period_us: clock.period_us,
            time_slice_ticks: scheduler.time_slice,
            ticks: scheduler.ticks,
            modules: modules(self.runtime),
            health: health.collect(),
            events: self.events()?,
            journal,
            last,
            memory: self.memory.report()?,
            tasks: tasks(&scheduler, exited),
            cpus: scheduler.cpus,
            steps: self.steps,
            stopped: Vec::new(),
        })
    }

    /// What was published: counted by the journal, and by whoever published it.
    fn events(&self) -> Result<Vec<Published>, Failure> {
        let (clock, scheduler) = (self.clock.stats()?, self.scheduler.stats()?);
        let counts = self.journal.counts()?;
        let count = |topic: &str| {
            let of = |name: &str| name == topic || name.strip_prefix(topic).is_some_and(|rest| rest.starts_with('.'));
            counts.iter().filter(|count| of(&count.name)).map(|count| count.count).sum()
        };
        let mut events = Vec::new();
        let mut add = |topic: &str, by: &str, (handled, missed)| {
            let published = count(topic);
            if published > 0 {
                events.push(Published { topic: topic.into(), by: by.into(), published, handled, missed });
            }
        };
        let told = |topic| self.told.get(topic).copied().unwrap_or_default();
        add("interrupt", "this program's clock", told("interrupt"));
        add("tick", "timer", (clock.handled, clock.missed));
        add("process", "scheduler", (scheduler.handled, scheduler.missed));
        add("cpu-hotplug", "this program", told("cpu-hotplug"));
        add("memory-pressure", "this program", told("memory-pressure"));
        Ok(events)
    }
}

fn modules(runtime: &Runtime) -> Vec<Module> {
    let modules = runtime.modules();
    let module = |module: &helix_runtime::ModuleStatus| Module {
        name: module.info.name.into(),
        version: module.info.version.to_string(),
        description: module.info.description.into(),
        lockless: module.lockless,
        provides: module.info.provides.iter().map(ToString::to_string).collect(),
        needs: module
            .needs
            .iter()
            .map(|(need, from)| Need { name: need.name.into(), from: from.unwrap_or("nobody").into() })
            .collect(),
    };
    modules.iter().map(module).collect()
}

fn tasks(scheduler: &SchedulerStats, exited: Vec<TaskInfo>) -> Vec<Task> {
    let whole: u64 = scheduler.cpus.iter().map(|cpu| cpu.busy + cpu.idle).sum();
    let task = |task: TaskInfo| Task {
        pid: task.pid,
        share: (task.run as f64 / whole.max(1) as f64 * 1000.0).round() / 10.0,
        name: task.name,
        priority: task.priority.to_string(),
        state: task.state.to_string(),
        run: task.run,
        waited: task.waited,
        blocked: task.blocked,
        switches: task.switches,
        migrations: task.migrations,
    };
    let mut tasks: Vec<Task> = scheduler.tasks.iter().cloned().chain(exited).map(task).collect();
    tasks.sort_by_key(|task| task.pid);
    tasks
}
