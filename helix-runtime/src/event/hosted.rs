//! The events of a host: that it has started and ends, what it is configured to be, what is to be maintained, what runs short.
//!
//! They are ordinary events, encoded where they cross; a host publishes them, and no module in a process of its own can.

use alloc::string::String;
use alloc::vec::Vec;

use helix_macros::{EventType, helix_message};

#[cfg(feature = "std")]
use super::EventType;

/// The host is fully operational: every module that it began with has started.
#[helix_message]
#[derive(Debug, Clone, PartialEq, Eq, EventType)]
#[event(topic = "node", name = "node.startup-completed")]
pub struct NodeStartupCompleted {
    /// How many modules there are.
    pub modules: u32,
    /// How long it took, in milliseconds.
    pub took_ms: u64,
}

/// The host is shutting down: modules clean up.
#[helix_message]
#[derive(Debug, Clone, PartialEq, Eq, EventType)]
#[event(topic = "node", name = "node.shutdown")]
pub struct NodeShutdown {
    /// Why.
    pub reason: String,
    /// How long modules have for it, in seconds.
    pub timeout_seconds: u64,
}

/// Every module has stopped. Heard by what is no module.
#[helix_message]
#[derive(Debug, Clone, PartialEq, Eq, EventType)]
#[event(topic = "node", name = "node.shutdown-completed")]
pub struct NodeShutdownCompleted {
    /// How long it took, in milliseconds.
    pub took_ms: u64,
}

/// The host's configuration was read, or has changed. Whoever comes later hears the last one.
#[helix_message]
#[derive(Debug, Clone, PartialEq, Eq, EventType)]
#[event(topic = "config", name = "config.loaded")]
pub struct ConfigLoaded {
    /// The sections in which something has changed, in order; all of them the first time.
    pub changed_sections: Vec<String>,
    /// All sections as JSON, `{"section": {"key": "value"}}`, with `"***"` for each secret.
    pub config_json: Option<String>,
}

/// What is to be done with data.
#[helix_message]
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Operation {
    /// To write what is only in memory.
    Flush,
    /// To remove what is old.
    Cleanup,
    /// One and the other.
    Both,
}

/// How urgent it is.
#[helix_message]
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Urgency {
    /// When there is time.
    Low,
    /// Soon.
    Medium,
    /// At once.
    High,
}

/// Why data is to be maintained.
#[helix_message]
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum MaintenanceReason {
    /// It is time.
    Periodic,
    /// The host ends.
    Shutdown,
    /// The disk is nearly full.
    LowDisk,
    /// Somebody has asked for it.
    Manual,
}

/// Data is to be flushed or cleaned up.
#[helix_message]
#[derive(Debug, Clone, PartialEq, Eq, EventType)]
#[event(topic = "maintenance", name = "maintenance.data")]
pub struct DataMaintenance {
    /// What is to be done.
    pub operation: Operation,
    /// How urgent it is.
    pub urgency: Urgency,
    /// Why.
    pub reason: MaintenanceReason,
    /// What is older than so many days may go, where something is to be cleaned up.
    pub target_age_days: Option<u32>,
    /// How long there is for it, in seconds, where that is limited.
    pub timeout_seconds: Option<u64>,
}

impl DataMaintenance {
    /// Whether something is to be flushed.
    ///
    /// ```
    /// use helix_runtime::{DataMaintenance, MaintenanceReason, Operation, Urgency};
    /// let (operation, urgency) = (Operation::Both, Urgency::High);
    /// let reason = MaintenanceReason::LowDisk;
    /// let both = DataMaintenance { operation, urgency, reason, target_age_days: Some(7), timeout_seconds: Some(10) };
    /// assert!(both.flushes() && both.cleans_up());
    /// ```
    pub fn flushes(&self) -> bool {
        matches!(self.operation, Operation::Flush | Operation::Both)
    }

    /// Whether something is to be cleaned up.
    pub fn cleans_up(&self) -> bool {
        matches!(self.operation, Operation::Cleanup | Operation::Both)
    }
}

/// [`DataMaintenance`] is about to be published.
#[helix_message]
#[derive(Debug, Clone, PartialEq, Eq, EventType)]
#[event(topic = "maintenance", name = "maintenance.started")]
pub struct MaintenanceStarted {
    /// What is to be done.
    pub operation: Operation,
    /// Why.
    pub reason: MaintenanceReason,
}

/// Every module has done its part of it, or failed to.
#[helix_message]
#[derive(Debug, Clone, PartialEq, Eq, EventType)]
#[event(topic = "maintenance", name = "maintenance.completed")]
pub struct MaintenanceCompleted {
    /// What was to be done.
    pub operation: Operation,
    /// Why.
    pub reason: MaintenanceReason,
    /// How many handlers heard it, and did it as far as is known.
    pub handled: u32,
    /// How many failed, were not in time, or could not be reached.
    pub failed: u32,
    /// How long it took, in milliseconds.
    pub took_ms: u64,
}

/// The disk is nearly full.
#[helix_message]
#[derive(Debug, Clone, PartialEq, Eq, EventType)]
#[event(topic = "resource", name = "resource.disk-space-low")]
pub struct DiskSpaceLow {
    /// A directory on it.
    pub path: String,
    /// How much is free, in bytes.
    pub available: u64,
    /// How much there is in all, in bytes.
    pub total: u64,
}

/// A module in a process of its own comes near one of its limits.
#[helix_message]
#[derive(Debug, Clone, PartialEq, Eq, EventType)]
#[event(topic = "resource", name = "resource.limit-warning")]
pub struct ResourceLimitWarning {
    /// The module.
    pub module: String,
    /// What runs short: `memory` in bytes, `files`, or `cpu` in seconds.
    pub resource: String,
    /// How much it uses.
    pub used: u64,
    /// How much it may use.
    pub limit: u64,
}

/// So many events were lost for the module that hears this: it was too slow, and there was no room for them to wait.
#[helix_message]
#[derive(Debug, Clone, PartialEq, Eq, EventType)]
#[event(topic = "resource", name = "resource.events-lost")]
pub struct EventsLost {
    /// How many, since the module was last told.
    pub count: u64,
}

/// The names of the events that are a host's alone to publish.
#[cfg(feature = "std")]
pub(crate) const OF_HOST: &[&str] = &[
    NodeStartupCompleted::NAME,
    NodeShutdown::NAME,
    NodeShutdownCompleted::NAME,
    ConfigLoaded::NAME,
    DataMaintenance::NAME,
    MaintenanceStarted::NAME,
    MaintenanceCompleted::NAME,
    DiskSpaceLow::NAME,
    ResourceLimitWarning::NAME,
    EventsLost::NAME,
];
