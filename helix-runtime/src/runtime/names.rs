//! Which request a name stands for: one look-up by the target's and the request's name together.

use alloc::boxed::Box;
use alloc::vec::Vec;

use crate::context::Route;

/// The request's name under which a module takes any request that it does not list.
pub(crate) const ANY: &str = "*";

struct Name {
    target: &'static str,
    request: &'static str,
    route: Route,
}

/// All names of all requests, by module and by service.
pub(crate) struct Names {
    names: Box<[Name]>,
    /// All modules and services, those without requests too.
    targets: Vec<&'static str>,
    index: Box<[u32]>,
}

const EMPTY: u32 = u32::MAX;

impl Names {
    pub(crate) fn new(
        targets: Vec<&'static str>,
        names: impl Iterator<Item = (&'static str, &'static str, Route)>,
    ) -> Self {
        let names: Box<[Name]> = names.map(|(target, request, route)| Name { target, request, route }).collect();
        let size = (names.len() * 2).next_power_of_two();
        let mut index = alloc::vec![EMPTY; size].into_boxed_slice();
        for (at, name) in names.iter().enumerate() {
            let mut slot = hash(name.target, name.request) & (size - 1);
            while index[slot] != EMPTY {
                slot = (slot + 1) & (size - 1);
            }
            index[slot] = at as u32;
        }
        Self { names, targets, index }
    }

    pub(crate) fn find(&self, target: &str, request: &str) -> Option<Route> {
        let mask = self.index.len() - 1;
        let mut slot = hash(target, request) & mask;
        loop {
            let name = self.names.get(self.index[slot] as usize)?;
            if name.request == request && name.target == target {
                return Some(name.route);
            }
            slot = (slot + 1) & mask;
        }
    }

    /// Whether a module or a service is called so.
    pub(crate) fn has(&self, target: &str) -> bool {
        self.targets.contains(&target)
    }

    /// The requests that a target has.
    pub(crate) fn of<'a>(&'a self, target: &'a str) -> Vec<&'static str> {
        self.names.iter().filter(|name| name.target == target).map(|name| name.request).collect()
    }
}

/// The first and the last word of each name and its length: enough to tell names apart, and quick to read.
fn hash(target: &str, request: &str) -> usize {
    let mix = |hash: u64, word: u64| (hash ^ word).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let hash = [target, request].iter().fold(0, |hash, text| {
        let bytes = text.as_bytes();
        let (first, last) = match (bytes.first_chunk::<8>(), bytes.last_chunk::<8>()) {
            (Some(first), Some(last)) => (u64::from_le_bytes(*first), u64::from_le_bytes(*last)),
            _ => (bytes.iter().fold(0, |word, byte| word << 8 | u64::from(*byte)), 0),
        };
        mix(mix(hash, first), last ^ (bytes.len() as u64))
    });
    (hash ^ (hash >> 32)) as usize
}
