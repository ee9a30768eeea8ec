//! What a host looks after besides its modules: its configuration's file, data that is to be maintained, and what runs short.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use helix_runtime::{
    DataMaintenance, DiskSpaceLow, MaintenanceCompleted, MaintenanceReason, MaintenanceStarted, NodeShutdown,
    NodeShutdownCompleted, Operation, Publish, PublishResult, ResourceLimitWarning, Urgency,
};

use super::configured::Watched;
use super::{Host, HostFault, Shared};
use crate::process::Usage;

/// How often it looks.
const INTERVAL: Duration = Duration::from_millis(100);
/// How long it waits for data to be maintained where that is not said.
const PATIENCE: Duration = Duration::from_secs(10);
/// How many of these times it looks at the disk and at processes once.
const SELDOM: u32 = 10;
/// From how much of a limit on it is warned, and below how much it may be warned of it again, in percent.
const WARN: u64 = 80;
const CALM: u64 = 70;
/// What is older may go where the disk is nearly full, in days.
const LOW_DISK_AGE: u32 = 7;

/// What was last told.
#[derive(Default)]
struct Told {
    watched: Watched,
    disk_is_low: bool,
    /// The module and the resource.
    warned: BTreeSet<(String, &'static str)>,
}

impl Host {
    /// Has data maintained: tells every module, and waits until each has done its part, those included for whom events wait in a
    /// queue, as long as there is time for it: ten seconds unless it says so.
    pub fn maintain(&self, what: &DataMaintenance) -> PublishResult {
        self.shared.maintain(what)
    }
}

impl Shared {
    pub(super) fn maintain(&self, what: &DataMaintenance) -> PublishResult {
        let (operation, reason, began) = (what.operation, what.reason, Instant::now());
        self.tell(&MaintenanceStarted { operation, reason });
        let time = what.timeout_seconds.map_or(PATIENCE, Duration::from_secs);
        let heard = self.runtime.publish_within(what, time);
        let late = if heard.queued > 0 { self.loader.settle(time).min(heard.queued) } else { 0 };
        let (handled, failed) = (heard.handled + heard.queued - late, heard.missed() + late);
        let took_ms = began.elapsed().as_millis() as u64;
        self.tell(&MaintenanceCompleted { operation, reason, handled, failed, took_ms });
        heard
    }

    /// Tells everyone, lets data be flushed, and stops every module.
    pub(super) fn go_down(&self) -> Result<(), HostFault> {
        if self.went_down.swap(true, Ordering::AcqRel) {
            return Ok(self.runtime.stop()?);
        }
        let began = Instant::now();
        let timeout = self.configured.first().upkeep.timeout;
        let timeout_seconds = timeout.as_secs();
        self.hurry();
        let down = NodeShutdown { reason: "the host was stopped".into(), timeout_seconds };
        // What goes wrong in a handler is in the log.
        let _ = self.runtime.publish_within(&down, timeout);
        let _ = self.maintain(&DataMaintenance {
            operation: Operation::Flush,
            urgency: Urgency::High,
            reason: MaintenanceReason::Shutdown,
            target_age_days: None,
            timeout_seconds: Some(timeout_seconds),
        });
        let stopped = self.runtime.stop();
        self.tell(&NodeShutdownCompleted { took_ms: began.elapsed().as_millis() as u64 });
        stopped?;
        Ok(self.keep.check()?)
    }

    /// Has everybody leave who is inside a module: who hangs is ended when the time is over that modules are told.
    pub(super) fn hurry(&self) {
        if self.hurried.swap(true, Ordering::AcqRel) {
            return;
        }
        let timeout = self.configured.first().upkeep.timeout;
        self.loader.hurry(timeout);
        if !self.runtime.quiesce(timeout) {
            log::warn!(target: "helix", "somebody is inside a module still, {timeout:?} after the host was told to stop");
        }
    }

    /// Publishes an event of the host's. What goes wrong in a handler is in the log.
    pub(super) fn tell(&self, event: &impl Publish) {
        let _ = self.runtime.publish(event);
    }

    /// Looks after all of it, until the host ends.
    pub(super) fn keep_up(&self) {
        let (mut told, mut round, mut maintained) = (Told::default(), 0_u32, Instant::now());
        while !self.ended.load(Ordering::Acquire) {
            if let Some(loaded) = self.configured.look(&mut told.watched, |config| self.runtime.check_config(config)) {
                let sections = loaded.changed_sections.join(", ");
                log::info!(target: "helix", "the configuration has changed: {sections}");
                if loaded.changed_sections.iter().any(|section| section == "host") {
                    log::warn!(target: "helix", "what has changed in the table [host] takes effect at the next start");
                }
                let _ = self.runtime.publish_sticky(&loaded);
            }
            if round.is_multiple_of(SELDOM) {
                self.look_at_the_disk(&mut told);
                self.look_at_limits(&mut told);
            }
            let upkeep = &self.configured.first().upkeep;
            if upkeep.every.is_some_and(|every| maintained.elapsed() >= every) {
                maintained = Instant::now();
                let _ = self.maintain(&DataMaintenance {
                    operation: Operation::Cleanup,
                    urgency: Urgency::Low,
                    reason: MaintenanceReason::Periodic,
                    target_age_days: Some(upkeep.age_days),
                    timeout_seconds: None,
                });
            }
            round = round.wrapping_add(1);
            std::thread::park_timeout(INTERVAL);
        }
    }

    /// Where modules keep what they keep.
    fn disk(&self) -> Option<PathBuf> {
        let configuration = self.configured.first();
        configuration.data_dir.as_ref().map(PathBuf::from).or_else(|| configuration.state_dir.clone())
    }

    fn look_at_the_disk(&self, told: &mut Told) {
        let upkeep = &self.configured.first().upkeep;
        let Some(path) = self.disk() else { return };
        let Ok(found) = rustix::fs::statvfs(&path) else { return };
        let (available, total) = (found.f_bavail * found.f_frsize, found.f_blocks * found.f_frsize);
        let is_low = available < upkeep.low_disk;
        if is_low && !std::mem::replace(&mut told.disk_is_low, is_low) {
            let path = path.display().to_string();
            log::warn!(target: "helix", "{path}: {} MiB are free on the disk, of {}", available >> 20, total >> 20);
            self.tell(&DiskSpaceLow { path, available, total });
            let _ = self.maintain(&DataMaintenance {
                operation: Operation::Both,
                urgency: Urgency::High,
                reason: MaintenanceReason::LowDisk,
                target_age_days: Some(LOW_DISK_AGE),
                timeout_seconds: Some(upkeep.timeout.as_secs()),
            });
        }
        // Some more than too little, so that it is not told again and again.
        told.disk_is_low &= available < upkeep.low_disk.saturating_add(upkeep.low_disk / 8);
    }

    fn look_at_limits(&self, told: &mut Told) {
        for (module, processes) in self.processes() {
            for Usage { resource, used, limit } in processes.usage() {
                let percent = used.saturating_mul(100) / limit.max(1);
                let known = (module.to_string(), resource);
                if percent < CALM {
                    told.warned.remove(&known);
                } else if percent >= WARN && told.warned.insert(known) {
                    log::warn!(target: module, "uses {percent} % of its limit of {resource}: {used} of {limit}");
                    let (module, resource) = (module.to_string(), resource.to_string());
                    self.tell(&ResourceLimitWarning { module, resource, used, limit });
                }
            }
        }
    }
}
