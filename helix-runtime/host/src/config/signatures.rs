//! `signatures = { policy, keys, threshold }` in the table `[host]`.

use std::path::Path;

use toml::{Table, Value};

use super::{ConfigFault, fault};
use crate::trust::{Policy, Trust};

/// Whose libraries are to be loaded.
pub(super) fn trust(table: &Table, key: &str, path: &Path) -> Result<Trust, ConfigFault> {
    let mut trust = Trust { threshold: 1, ..Trust::default() };
    for (name, value) in table {
        let key = format!("{key}.{name}");
        let wrong = |expected| Err(fault(path, &key, value, expected));
        match name.as_str() {
            "policy" => match value.as_str() {
                Some("required") => trust.policy = Policy::Required,
                Some("warn") => trust.policy = Policy::Warn,
                Some("off") => trust.policy = Policy::Off,
                _ => return wrong("\"required\", \"warn\" or \"off\""),
            },
            "keys" => {
                let key = |item: &Value| item.as_str()?.parse().ok();
                match value.as_array().and_then(|items| items.iter().map(key).collect()) {
                    Some(keys) => trust.keys = keys,
                    None => {
                        return wrong(
                            "a list of public keys, each of 64 hexadecimal digits, as `helix keygen` shows them",
                        );
                    }
                }
            }
            "threshold" => match value.as_integer().and_then(|number| usize::try_from(number).ok()) {
                Some(number @ 1..) => trust.threshold = number,
                _ => return wrong("a whole number from 1"),
            },
            _ => return wrong("one of `keys`, `policy`, `threshold`"),
        }
    }
    if trust.policy != Policy::Off && trust.keys.len() < trust.threshold {
        let found = format!("{} keys", trust.keys.len());
        let key = format!("{key}.keys");
        return Err(ConfigFault::Key {
            path: path.into(),
            key,
            found,
            expected: "as many as `threshold` says, or more",
        });
    }
    Ok(trust)
}
