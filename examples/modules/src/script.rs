//! The story that the demo plays, in parts of the time it has.

use std::time::Duration;

use demo_contracts::{Priority, TaskInfo, TaskState};
use helix_runtime::{CpuHotplug, MemoryPressure, PressureLevel};

use crate::drive::Drive;
use crate::failure::Failure;

const TASKS: [(&str, Priority); 5] = [
    ("editor", Priority::High),
    ("build", Priority::Normal),
    ("tests", Priority::Normal),
    ("index", Priority::Background),
    ("backup", Priority::Background),
];

/// Plays it; returns the accounts of the tasks that have ended.
pub fn play(drive: &mut Drive<'_>, whole: Duration) -> Result<Vec<TaskInfo>, Failure> {
    let mut pids = [0; TASKS.len()];
    for (pid, (name, priority)) in pids.iter_mut().zip(TASKS) {
        let reply = drive.scheduler.spawn(name, priority);
        let what = format!("scheduler.spawn({name}, {priority})");
        *pid = drive.request(what, reply, |pid| format!("pid {pid}"))?.unwrap_or_default();
    }
    let [editor, build, tests, ..] = pids;
    let last_cpu = drive.scheduler.stats()?.cpus.len().saturating_sub(1) as u32;

    drive.run_until(whole.mul_f64(0.1));
    let reply = drive.scheduler.block(editor);
    let after = running(drive)?;
    drive.request(format!("scheduler.block({editor})"), reply, |()| format!("editor waits for a key; {after}"))?;

    drive.run_until(whole.mul_f64(0.3));
    hotplug(drive, last_cpu, false)?;

    drive.run_until(whole.mul_f64(0.42));
    let reply = drive.scheduler.wake(editor);
    let after = running(drive)?;
    drive.request(format!("scheduler.wake({editor})"), reply, |()| format!("high goes first; {after}"))?;

    drive.run_until(whole.mul_f64(0.55));
    hotplug(drive, last_cpu, true)?;
    let reply = drive.scheduler.block(editor);
    let after = running(drive)?;
    drive.request(format!("scheduler.block({editor})"), reply, |()| after)?;

    drive.run_until(whole.mul_f64(0.65));
    pressure(drive, PressureLevel::Moderate)?;
    drive.run_until(whole.mul_f64(0.72));
    pressure(drive, PressureLevel::Critical)?;
    drive.run_until(whole.mul_f64(0.82));
    pressure(drive, PressureLevel::Normal)?;

    drive.run_until(whole.mul_f64(0.9));
    let reply = drive.scheduler.exit(tests, 0);
    let exited = drive.request(format!("scheduler.exit({tests}, code 0)"), reply, |task| {
        format!("{} has run for {} ticks and waited for {}", task.name, task.run, task.waited)
    })?;
    let reply = drive.scheduler.wake(build);
    drive.request(format!("scheduler.wake({build})"), reply, |()| "it was blocked".into())?;
    hotplug(drive, 99, true)?;

    drive.run_until(whole);
    let reply = drive.clock.now();
    drive.request("clock.now()".into(), reply, |ns| {
        format!("{:.3} s in ticks, {:.3} s by the wall", *ns as f64 / 1e9, whole.as_secs_f64())
    })?;
    Ok(exited.into_iter().collect())
}

fn hotplug(drive: &mut Drive<'_>, cpu_id: u32, online: bool) -> Result<(), Failure> {
    let what = format!("cpu-hotplug(cpu {cpu_id} {})", if online { "online" } else { "offline" });
    let moved = if online { "it takes waiting tasks" } else { "its tasks go to the others" };
    drive.publish(what, &CpuHotplug { cpu_id, online }, |drive| Ok(format!("{moved}; {}", running(drive)?)))
}

fn pressure(drive: &mut Drive<'_>, level: PressureLevel) -> Result<(), Failure> {
    let name = match level {
        PressureLevel::Normal => "normal",
        PressureLevel::Moderate => "moderate",
        PressureLevel::Critical => "critical",
    };
    drive.publish(format!("memory-pressure({name})"), &MemoryPressure { level }, |drive| {
        let (memory, journal) = (drive.memory.report()?, drive.journal.stats()?);
        let pids: Vec<String> = memory.parked.iter().map(u64::to_string).collect();
        let then = match level {
            PressureLevel::Normal => format!("wakes {} tasks", memory.tasks_woken),
            _ if pids.is_empty() => "lets all tasks run".into(),
            _ => format!("has the scheduler block {}", pids.join(" and ")),
        };
        Ok(format!("memory-watch has the journal keep {} entries, {then}", journal.capacity))
    })
}

/// Who runs where.
fn running(drive: &Drive<'_>) -> Result<String, Failure> {
    let stats = drive.scheduler.stats()?;
    let on = |at: u32| stats.tasks.iter().find(|task| task.state == TaskState::Running { cpu: at });
    let cpus = stats.cpus.iter().map(|cpu| match on(cpu.cpu) {
        _ if !cpu.online => "-".to_string(),
        None => "idle".to_string(),
        Some(task) => task.name.clone(),
    });
    Ok(format!("cpus: {}", cpus.collect::<Vec<_>>().join(" | ")))
}
