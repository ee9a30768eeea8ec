//! A scheduler: strict priorities, and within one priority a round robin over all CPUs.
//!
//! [`sched`] does the scheduling; this file connects it to the events and the contract.
#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;

mod convert;
mod saved;
pub mod sched;

pub use saved::{SavedTask, SavedV1};

use alloc::format;

use demo_contracts::{ClockClient, Priority, Scheduler, SchedulerError, SchedulerStats, TaskInfo, TaskState};
use helix_runtime::prelude::*;
use sched::{MOST_CPUS, Sched};

/// Schedules tasks round robin, by priority, on several CPUs.
#[helix_module(
    name = "scheduler.round-robin",
    provides = [Scheduler],
    dependencies("clock"),
    flags = ESSENTIAL | SCHEDULER | HOT_RELOADABLE,
)]
#[derive(Debug, Default)]
pub struct RoundRobin {
    /// How long a task may run before it is another's turn, in ticks.
    #[config(default = 5)]
    time_slice_ticks: u64,
    /// How many CPUs there are; all are online at the start.
    #[config(default = 2)]
    cpus: u32,
    sched: Sched,
    /// The last tick that was heard, or none while ticks are nobody's time.
    last_tick: Option<u64>,
    handled: u64,
    missed: u64,
}

#[helix_handlers]
impl RoundRobin {
    #[on_init]
    fn init(&mut self) -> Result<(), ModuleError> {
        if self.time_slice_ticks == 0 {
            return Err(ModuleError::config("time_slice_ticks", 0, "a whole number, 1 or above"));
        }
        if self.cpus == 0 || self.cpus as usize > MOST_CPUS {
            let expected = format!("a whole number from 1 to {MOST_CPUS}");
            return Err(ModuleError::config("cpus", self.cpus, expected));
        }
        self.sched = Sched::new(self.cpus as usize, self.time_slice_ticks);
        Ok(())
    }

    // Ticks before the start are nobody's time, except those since the state was saved that was taken back.
    #[on_start]
    fn start(&mut self, ctx: &Context) -> Result<(), ModuleError> {
        if self.last_tick.is_none() {
            self.last_tick = Some(ctx.service::<ClockClient>()?.stats()?.interrupts);
        }
        Ok(())
    }

    #[on_stop]
    fn stop(&mut self) {
        self.last_tick = None;
    }

    /// Whether every event about a process has reached everyone.
    #[on_health]
    fn healthy(&self) -> bool {
        self.missed == 0
    }

    #[on_event(Tick, priority = HIGH)]
    fn tick(&mut self, &Tick { tick_number, .. }: &Tick) -> EventResponse {
        let Some(last_tick) = self.last_tick.filter(|last_tick| tick_number > *last_tick) else {
            return EventResponse::Ignored;
        };
        let elapsed = tick_number - last_tick;
        self.last_tick = Some(tick_number);
        self.sched.tick(elapsed);
        EventResponse::Handled
    }

    #[on_event(CpuHotplug, priority = HIGH)]
    fn hotplug(&mut self, &CpuHotplug { cpu_id, online }: &CpuHotplug) -> EventResponse {
        match self.sched.set_online(cpu_id as usize, online) {
            Ok(true) => EventResponse::Handled,
            Ok(false) => EventResponse::Ignored,
            Err(refusal) => EventResponse::Error(ModuleError::new(format!("{}", convert::error(refusal)))),
        }
    }

    #[on_save(version = 1)]
    fn save(&self) -> SavedV1 {
        SavedV1::of(&self.sched, self.last_tick.unwrap_or_default())
    }

    #[on_restore(version = 1)]
    fn restore(&mut self, saved: SavedV1, ctx: &Context) -> Result<(), ModuleError> {
        // Ticks since the state was saved are still to be charged, unless the clock has started anew.
        let last_tick = saved.last_tick.min(ctx.service::<ClockClient>()?.stats()?.interrupts);
        let sched = saved.into_sched(self.cpus as usize, self.time_slice_ticks);
        self.sched = sched.map_err(|refusal| ModuleError::new(format!("{}", convert::error(refusal))))?;
        self.last_tick = Some(last_tick);
        Ok(())
    }
}

impl RoundRobin {
    fn note(&mut self, heard: &helix_runtime::PublishResult) {
        self.handled += u64::from(heard.handled);
        self.missed += u64::from(heard.failed) + u64::from(heard.dropped);
    }
}

impl Scheduler for RoundRobin {
    fn spawn(&mut self, name: &str, priority: Priority, ctx: &Context) -> Result<u64, SchedulerError> {
        let pid = self.sched.spawn(name.into(), convert::level(priority)).map_err(convert::error)?;
        self.note(&ctx.publish(&ProcessCreated { pid }));
        Ok(pid)
    }

    fn block(&mut self, pid: u64) -> Result<(), SchedulerError> {
        self.sched.block(pid).map_err(convert::error)
    }

    fn wake(&mut self, pid: u64) -> Result<(), SchedulerError> {
        self.sched.wake(pid).map_err(convert::error)
    }

    fn exit(&mut self, pid: u64, code: i32, ctx: &Context) -> Result<TaskInfo, SchedulerError> {
        let mut task = convert::task_info(self.sched.exit(pid).map_err(convert::error)?);
        task.state = TaskState::Exited { code };
        self.note(&ctx.publish(&ProcessExited { pid, code }));
        Ok(task)
    }

    fn stats(&self) -> SchedulerStats {
        let (spawned, exited) = self.sched.totals();
        SchedulerStats {
            ticks: self.sched.clock(),
            time_slice: self.sched.slice(),
            tasks: self.sched.tasks().map(convert::task_info).collect(),
            cpus: convert::cpu_infos(&self.sched),
            spawned,
            exited,
            handled: self.handled,
            missed: self.missed,
        }
    }
}
