//! Which request a name stands for: one look-up by the target's and the request's name together.
//!
//! Every pair of names that there ever was has a number, which is a route: it stays valid when its module is replaced, goes
//! and comes back, or when another module provides the service.

use alloc::boxed::Box;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::ptr::NonNull;

use crate::context::{ModuleId, Route};
use crate::descriptor::{Entry, RequestEntry};
use crate::runtime::instance::Instance;
use crate::runtime::word::Access;

/// The request's name under which a module takes any request that it does not list.
pub(crate) const ANY: &str = "*";

/// A target's and a request's name.
pub(crate) struct Pair {
    pub(crate) target: Box<str>,
    pub(crate) request: Box<str>,
}

/// Who answers a request now.
#[derive(Clone, Copy)]
pub(crate) struct Target {
    instance: NonNull<Instance>,
    pub(crate) entry: &'static Entry,
    pub(crate) request: &'static RequestEntry,
    pub(crate) access: Access,
}

// SAFETY: an instance may be used by any thread; its address is followed as long as `Target::instance` says.
unsafe impl Send for Target {}
// SAFETY: as above.
unsafe impl Sync for Target {}

impl Target {
    /// The instance, for as long as the names may be read.
    #[inline]
    pub(crate) fn instance<'a>(&self) -> &'a Instance {
        // SAFETY: as for `Listener::instance`.
        unsafe { self.instance.as_ref() }
    }
}

/// All names of all requests, by module and by service.
pub(crate) struct Names {
    pairs: Box<[Arc<Pair>]>,
    /// For each pair, who answers.
    targets: Box<[Option<Target>]>,
    /// All modules and services, those without requests too, in order of name.
    known: Box<[(Box<str>, ModuleId)]>,
    index: Box<[u32]>,
}

const EMPTY: u32 = u32::MAX;

impl Names {
    /// The names under which these instances are found. `pairs` are those that were known, and become those that are.
    pub(crate) fn new<'a>(pairs: &mut Vec<Arc<Pair>>, found: impl Iterator<Item = (&'a str, &'a Instance)>) -> Self {
        let mut targets: Vec<Option<Target>> = alloc::vec![None; pairs.len()];
        let mut known: Vec<(Box<str>, ModuleId)> = Vec::new();
        for (target, instance) in found {
            known.push((target.into(), instance.slot.id));
            for (entry, request, access) in instance.requests() {
                let value = Some(Target { instance: instance.into(), entry, request, access });
                match pairs.iter().position(|pair| *pair.target == *target && *pair.request == *request.name) {
                    Some(number) => targets[number] = value,
                    None => {
                        pairs.push(Arc::new(Pair { target: target.into(), request: request.name.into() }));
                        targets.push(value);
                    }
                }
            }
        }
        known.sort();
        let size = (pairs.len() * 2).next_power_of_two();
        let mut index = alloc::vec![EMPTY; size].into_boxed_slice();
        for (at, pair) in pairs.iter().enumerate() {
            let mut slot = hash(&pair.target, &pair.request) & (size - 1);
            while index[slot] != EMPTY {
                slot = (slot + 1) & (size - 1);
            }
            index[slot] = at as u32;
        }
        Self { pairs: pairs.as_slice().into(), targets: targets.into(), known: known.into(), index }
    }

    /// The number of a pair of names that somebody answers.
    pub(crate) fn find(&self, target: &str, request: &str) -> Option<Route> {
        let mask = self.index.len() - 1;
        let mut slot = hash(target, request) & mask;
        loop {
            let number = self.index[slot];
            let pair = self.pairs.get(number as usize)?;
            if *pair.request == *request && *pair.target == *target {
                return self.targets[number as usize].map(|_| Route(number));
            }
            slot = (slot + 1) & mask;
        }
    }

    /// Who answers it now.
    #[inline]
    pub(crate) fn target(&self, route: Route) -> Option<&Target> {
        self.targets.get(route.0 as usize)?.as_ref()
    }

    /// The names that a route stands for.
    pub(crate) fn pair(&self, route: Route) -> Option<&Pair> {
        self.pairs.get(route.0 as usize).map(|pair| &**pair)
    }

    /// The module that a name stands for, if there is one.
    pub(crate) fn module(&self, target: &str) -> Option<ModuleId> {
        let at = self.known.binary_search_by(|(known, _)| (**known).cmp(target)).ok()?;
        Some(self.known[at].1)
    }

    /// The requests that a target has.
    pub(crate) fn of<'a>(&'a self, target: &str) -> Vec<&'a str> {
        let live =
            self.pairs.iter().zip(&self.targets).filter(|(pair, live)| *pair.target == *target && live.is_some());
        live.map(|(pair, _)| &*pair.request).collect()
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
