//! `modules.NAME = { isolation, .. }` in the table `[host]`.

use std::path::Path;
use std::time::Duration;

use toml::{Table, Value};

use super::{ConfigFault, fault};
use crate::process::{Isolation, Placing};

/// How a module is to be placed.
pub(super) fn placing(table: &Table, key: &str, path: &Path) -> Result<Placing, ConfigFault> {
    let said = table.keys().filter(|key| *key != "isolation").cloned().collect();
    let mut placing = Placing { said, ..Placing::default() };
    for (name, value) in table {
        let key = format!("{key}.{name}");
        let wrong = |expected| Err(fault(path, &key, value, expected));
        let number = |most: i64| value.as_integer().filter(|number| (1..=most).contains(number)).map(i64::unsigned_abs);
        match name.as_str() {
            "isolation" => match value.as_str() {
                Some("process") => placing.isolation = Isolation::Process,
                Some("none") => placing.isolation = Isolation::None,
                _ => return wrong("\"process\" or \"none\""),
            },
            "joins" => match value.as_bool() {
                Some(joins) => placing.joins = joins,
                None => return wrong("true or false"),
            },
            "sandbox" => match value.as_bool() {
                Some(closed) => placing.sandbox.closed = closed,
                None => return wrong("true or false"),
            },
            "accept_less" => match value.as_bool() {
                Some(less) => placing.sandbox.accept_less = less,
                None => return wrong("true or false"),
            },
            "network" => match value.as_bool() {
                Some(network) => placing.sandbox.network = network,
                None => return wrong("true or false"),
            },
            "memory_mib" => match number(1 << 20) {
                Some(mib) => placing.sandbox.memory = mib << 20,
                None => return wrong("a whole number of MiB from 1 to 1048576"),
            },
            "cpu_seconds" => match number(i64::from(u32::MAX)) {
                Some(seconds) => placing.sandbox.cpu = Some(seconds),
                None => return wrong("a whole number of seconds from 1"),
            },
            "files" => match number(1 << 20) {
                Some(files) => placing.sandbox.files = files,
                None => return wrong("a whole number from 1 to 1048576"),
            },
            "grant" => {
                let texts = |items: &Vec<Value>| items.iter().map(|item| item.as_str().map(String::from)).collect();
                match value.as_array().and_then(texts) {
                    Some(grant) => placing.grant = Some(grant),
                    None => return wrong("a list of permissions such as [\"call/node\", \"publish/mesh.packet\"]"),
                }
            }
            "queue" => match number(1 << 24) {
                Some(events) => placing.queue = events as usize,
                None => return wrong("a whole number of events from 1 to 16777216"),
            },
            "deadline_ms" => match number(86_400_000) {
                Some(ms) => placing.deadline = Duration::from_millis(ms),
                None => return wrong("a whole number of milliseconds from 1 to 86400000"),
            },
            _ => {
                return wrong(
                    "one of `accept_less`, `cpu_seconds`, `deadline_ms`, `files`, `grant`, `isolation`, `joins`, `memory_mib`, `network`, `queue`, `sandbox`",
                );
            }
        }
    }
    Ok(placing)
}
