//! What modules in processes may do: asked for in the attribute, granted in the host's configuration, and written down.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

use helix_runtime::boundary::Act;
use serde::{Deserialize, Serialize};

use super::link::plain;

/// What one module may do, through all its processes.
#[derive(Debug)]
pub struct Permits {
    module: &'static str,
    asked: Vec<String>,
    /// All that it asks for, and what it does not ask for, if none.
    granted: Option<Vec<String>>,
    audit: Mutex<Audit>,
}

/// How often each permission was used, and how often it was missed.
#[derive(Debug, Default)]
struct Audit {
    used: BTreeMap<String, u64>,
    denied: BTreeMap<String, u64>,
    last: VecDeque<Denial>,
}

/// How much of a permission's name is written down, in bytes.
const LONGEST: usize = 256;
/// How many denials are kept.
const KEPT: usize = 64;

/// What a module wanted and was denied.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Denial {
    /// When, in seconds since 1970.
    pub time: f64,
    /// The permission that it would have taken.
    pub permission: String,
}

/// Of how many permissions it is written down; what is used beyond that is counted under [`OTHERS`].
const MOST: usize = 256;
const OTHERS: &str = "(others)";

/// What a module may do, and what it has done of it, as `helix permissions` shows it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PermitView {
    /// The module.
    pub module: String,
    /// What it asks for.
    pub asked: Vec<String>,
    /// What it was granted; everything if none.
    pub granted: Option<Vec<String>>,
    /// What it has used, and how often.
    pub used: BTreeMap<String, u64>,
    /// What it has wanted and was denied, and how often.
    pub denied: BTreeMap<String, u64>,
    /// The last that it was denied, up to 64, the newest last.
    pub last: Vec<Denial>,
}

fn count(counts: &mut BTreeMap<String, u64>, permission: String) -> u64 {
    let known = counts.contains_key(&permission) || counts.len() < MOST;
    let count = counts.entry(if known { permission } else { OTHERS.into() }).or_default();
    *count += 1;
    *count
}

/// Whether a permission is that one, or a part of it: `call/node` has `call/node.tip` in it, and `call` has both.
pub(crate) fn covers(whole: &str, permission: &str) -> bool {
    permission.strip_prefix(whole).is_some_and(|rest| rest.is_empty() || rest.starts_with(['/', '.']))
}

impl Permits {
    /// Of a module that asks for these, and was granted those.
    pub fn new(module: &'static str, asked: &[&str], granted: Option<&[String]>) -> Self {
        let asked = asked.iter().map(|permission| (*permission).into()).collect();
        Self { module, asked, granted: granted.map(<[String]>::to_vec), audit: Mutex::default() }
    }

    fn audit(&self) -> MutexGuard<'_, Audit> {
        self.audit.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether the module has that permission: it asks for it, and was granted it.
    pub fn has(&self, permission: &str) -> bool {
        let in_all = |all: &[String]| all.iter().any(|whole| covers(whole, permission));
        self.granted.as_ref().is_none_or(|granted| in_all(granted) && in_all(&self.asked))
    }

    /// Whether it may do that. It is written down.
    pub fn may(&self, act: Act<'_>) -> bool {
        let mut permission = act.permission();
        let has = self.has(&permission) && !act.is_hosts();
        // Whoever asks chooses the name.
        permission.truncate(permission.floor_char_boundary(LONGEST));
        let mut audit = self.audit();
        if has {
            count(&mut audit.used, permission);
            return true;
        }
        let time = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs_f64();
        if audit.last.len() == KEPT {
            audit.last.pop_front();
        }
        audit.last.push_back(Denial { time, permission: permission.clone() });
        if count(&mut audit.denied, permission) == 1 {
            drop(audit);
            let act = plain(&act.to_string());
            log::warn!(target: self.module, "may not {act}, and was denied it; this is said once");
        }
        false
    }

    /// What it may do, and what it has done of it.
    pub fn view(&self) -> PermitView {
        let audit = self.audit();
        PermitView {
            module: self.module.into(),
            asked: self.asked.clone(),
            granted: self.granted.clone(),
            used: audit.used.clone(),
            denied: audit.denied.clone(),
            last: audit.last.iter().cloned().collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_asked_for_and_granted_is_allowed_and_all_is_counted() {
        let granted = ["call/node".to_string(), "publish/mesh.packet".into()];
        let permits = Permits::new("mesh", &["call", "subscribe/node.block"], Some(&granted));
        let call = |request| Act::Call { target: "node", request };
        assert!(permits.may(call("tip")) && permits.may(call("tip")));
        assert!(!permits.may(Act::Call { target: "wallet", request: "spend" }), "it was not granted");
        assert!(!permits.may(Act::Publish { event: "mesh.packet" }), "it is not asked for");
        assert!(!covers("call/node", "call/nodes.tip") && covers("call/node", "call/node"));
        assert!(!permits.may(Act::Subscribe { topic: "*" }));
        let view = permits.view();
        assert_eq!(view.used, [("call/node.tip".to_string(), 2)].into());
        assert_eq!(view.denied.len(), 3);
        for number in 0..1000 {
            permits.may(Act::Publish { event: &number.to_string() });
        }
        let view = permits.view();
        assert_eq!(view.denied.len(), MOST + 1);
        assert_eq!(view.denied.values().sum::<u64>(), 1003);
        assert_eq!((view.last.len(), view.last[KEPT - 1].permission.as_str()), (KEPT, "publish/999"));
    }

    #[test]
    fn without_a_list_everything_is_granted() {
        let permits = Permits::new("mesh", &[], None);
        assert!(permits.may(Act::Publish { event: "anything" }));
        assert!(permits.has("anything"));
    }
}
