//! Reacts to memory pressure: it has no memory of its own to give back, so it asks those who have.
//!
//! | pressure | journal | background tasks |
//! |---|---|---|
//! | normal | as configured | run |
//! | moderate | shrinks | run |
//! | critical | shrinks to next to nothing | are blocked |
#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;

use alloc::vec::Vec;

use demo_contracts::{
    JournalClient, Memory, MemoryReport, Priority, SchedulerClient, SchedulerError, TaskInfo, TaskState,
};
use helix_runtime::prelude::*;

/// Gives memory back when it runs low.
// What it needs is named by service, so that any journal and any scheduler will do.
#[helix_module(name = "memory-watch", provides = [Memory], dependencies("journal", "scheduler"))]
#[derive(Default)]
pub struct MemoryWatch {
    /// How many journal entries are kept under moderate pressure.
    #[config(default = 16)]
    moderate_entries: u32,
    /// How many journal entries are kept under critical pressure.
    #[config(default = 4)]
    critical_entries: u32,
    /// There from `on_init` on: those who are needed have started by then.
    needs: Option<Needs>,
    level: Option<PressureLevel>,
    changes: u64,
    entries_freed: u64,
    parked: Vec<u64>,
    tasks_parked: u64,
    tasks_woken: u64,
    tasks_gone: u64,
}

struct Needs {
    journal: JournalClient,
    scheduler: SchedulerClient,
}

#[helix_handlers]
impl MemoryWatch {
    #[on_init]
    fn init(&mut self, ctx: &Context) -> Result<(), ModuleError> {
        for (key, value) in [("moderate_entries", self.moderate_entries), ("critical_entries", self.critical_entries)] {
            if value == 0 {
                return Err(ModuleError::config(key, value, "a whole number, 1 or above"));
            }
        }
        self.needs = Some(Needs { journal: ctx.service()?, scheduler: ctx.service()? });
        Ok(())
    }

    #[on_event(MemoryPressure)]
    fn pressure(&mut self, &MemoryPressure { level }: &MemoryPressure) -> Result<(), ModuleError> {
        if self.level.replace(level).unwrap_or(PressureLevel::Normal) != level {
            self.changes += 1;
        }
        let Some(Needs { journal, .. }) = &self.needs else { return Err("not initialized".into()) };
        self.entries_freed += match level {
            PressureLevel::Normal => journal.expand().map(|_| 0)?,
            PressureLevel::Moderate => u64::from(journal.shrink(self.moderate_entries)?),
            PressureLevel::Critical => u64::from(journal.shrink(self.critical_entries)?),
        };
        if level == PressureLevel::Critical { self.park() } else { self.unpark() }
    }
}

impl MemoryWatch {
    /// Blocks every background task that could run.
    fn park(&mut self) -> Result<(), ModuleError> {
        let Some(Needs { scheduler, .. }) = &self.needs else { return Ok(()) };
        let could_run = |task: &TaskInfo| task.priority == Priority::Background && task.state != TaskState::Blocked;
        for task in scheduler.stats()?.tasks.into_iter().filter(could_run) {
            match scheduler.block(task.pid) {
                Ok(()) => {
                    self.parked.push(task.pid);
                    self.tasks_parked += 1;
                }
                // It has exited or blocked since it was listed, which is as good.
                Err(CallError::Handler(SchedulerError::NoSuchTask { .. } | SchedulerError::WrongState { .. })) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Ok(())
    }

    /// Wakes those whom this module blocked, and nobody else.
    fn unpark(&mut self) -> Result<(), ModuleError> {
        let Some(Needs { scheduler, .. }) = &self.needs else { return Ok(()) };
        while let Some(&pid) = self.parked.first() {
            match scheduler.wake(pid) {
                Ok(()) => self.tasks_woken += 1,
                Err(CallError::Handler(SchedulerError::NoSuchTask { .. } | SchedulerError::WrongState { .. })) => {
                    self.tasks_gone += 1;
                }
                // Those who are still blocked stay on the list, for the next event.
                Err(error) => return Err(error.into()),
            }
            self.parked.remove(0);
        }
        Ok(())
    }
}

impl Memory for MemoryWatch {
    fn report(&self) -> MemoryReport {
        MemoryReport {
            level: self.level.unwrap_or(PressureLevel::Normal),
            changes: self.changes,
            entries_freed: self.entries_freed,
            parked: self.parked.clone(),
            tasks_parked: self.tasks_parked,
            tasks_woken: self.tasks_woken,
            tasks_gone: self.tasks_gone,
        }
    }
}
