//! `maintenance = { every_s, age_days, timeout_s, low_disk_mib }` and `restarts = { most, within_s, after_ms }` in the table `[host]`.

use std::path::Path;
use std::time::Duration;

use helix_runtime::Supervision;
use toml::Table;

use super::{ConfigFault, fault};

/// When a host has data maintained, and when it warns.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Upkeep {
    /// How often data is cleaned up; never, if none.
    pub every: Option<Duration>,
    /// What is older than so many days may go.
    pub age_days: u32,
    /// How long modules have for what is urgent.
    pub timeout: Duration,
    /// How much of the disk is free at least, in bytes, before that is told.
    pub low_disk: u64,
}

impl Default for Upkeep {
    /// Never by time; 30 days, 5 seconds, 64 MiB.
    fn default() -> Self {
        Self { every: None, age_days: 30, timeout: Duration::from_secs(5), low_disk: 64 << 20 }
    }
}

pub(super) fn upkeep(table: &Table, key: &str, path: &Path) -> Result<Upkeep, ConfigFault> {
    let mut upkeep = Upkeep::default();
    for (name, value) in table {
        let key = format!("{key}.{name}");
        let number = value.as_integer().and_then(|number| u32::try_from(number).ok());
        match (name.as_str(), number) {
            ("every_s", Some(seconds @ 1..)) => upkeep.every = Some(Duration::from_secs(seconds.into())),
            ("age_days", Some(days)) => upkeep.age_days = days,
            ("timeout_s", Some(seconds @ 1..=3600)) => upkeep.timeout = Duration::from_secs(seconds.into()),
            ("low_disk_mib", Some(mib)) => upkeep.low_disk = u64::from(mib) << 20,
            ("every_s", _) => return Err(fault(path, &key, value, "a whole number of seconds from 1")),
            ("age_days", _) => return Err(fault(path, &key, value, "a whole number of days")),
            ("timeout_s", _) => return Err(fault(path, &key, value, "a whole number of seconds from 1 to 3600")),
            ("low_disk_mib", _) => return Err(fault(path, &key, value, "a whole number of MiB")),
            _ => {
                return Err(fault(path, &key, value, "one of `age_days`, `every_s`, `low_disk_mib`, `timeout_s`"));
            }
        }
    }
    Ok(upkeep)
}

pub(super) fn restarts(table: &Table, key: &str, path: &Path, to: &mut Supervision) -> Result<(), ConfigFault> {
    for (name, value) in table {
        let key = format!("{key}.{name}");
        let number = value.as_integer().and_then(|number| u32::try_from(number).ok());
        match (name.as_str(), number) {
            ("most", Some(most)) => to.intensity = most,
            ("within_s", Some(seconds)) => to.period = Duration::from_secs(seconds.into()),
            ("after_ms", Some(ms)) => to.backoff = Duration::from_millis(ms.into()),
            ("most" | "within_s" | "after_ms", _) => return Err(fault(path, &key, value, "a whole number")),
            _ => return Err(fault(path, &key, value, "one of `after_ms`, `most`, `within_s`")),
        }
    }
    Ok(())
}
