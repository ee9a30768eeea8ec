//! Which request a name stands for: one look-up by the target's and the request's name together.
//!
//! Every pair of names that there ever was has a number, which is a route: it stays valid when its module is replaced, goes
//! and comes back, or when another module provides the service.

use alloc::boxed::Box;
use alloc::sync::Arc;
use alloc::vec::Vec;

use crate::chain::Light;
use crate::descriptor::{RequestEntry, RequestFn};
use crate::host::Route;
use crate::place::ModuleId;
use crate::runtime::instance::Instance;
use crate::runtime::way::Way;

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
    pub(crate) way: Way,
    pub(crate) call: RequestFn,
    pub(crate) request: &'static RequestEntry,
    /// Whether nothing is asked for but to call it: everybody may, and a mark needs no barrier.
    pub(crate) is_plain: bool,
}

/// All names of all requests, by module and by service.
pub(crate) struct Names {
    pairs: Box<[Arc<Pair>]>,
    /// For each pair, who answers.
    targets: Box<[Option<Target>]>,
    /// All modules and services, those without requests too, in order of name.
    known: Box<[(Box<str>, ModuleId)]>,
    index: Box<[Indexed]>,
}

/// A place of the map from paths to the numbers of their pairs.
#[derive(Clone, Copy)]
struct Indexed {
    words: Words,
    number: u32,
}

const EMPTY: Indexed = Indexed { words: Words { first: 0, last: 0, len: 0 }, number: u32::MAX };

impl Names {
    /// The names under which these instances are found. `pairs` are those that were known, and become those that are.
    pub(crate) fn new<'a>(pairs: &mut Vec<Arc<Pair>>, found: impl Iterator<Item = (&'a str, &'a Instance)>) -> Self {
        let mut targets: Vec<Option<Target>> = alloc::vec![None; pairs.len()];
        let mut known: Vec<(Box<str>, ModuleId)> = Vec::new();
        let plainly = Light::get().is_free();
        for (target, instance) in found {
            known.push((target.into(), instance.slot.id));
            for (entry, request, access) in instance.requests() {
                let is_plain = plainly && request.permission.is_none();
                let way = Way::to(instance, Some(entry), access);
                let value = Some(Target { way, call: request.call, request, is_plain });
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
        let size = (pairs.len() * 2 + 1).next_power_of_two();
        let mut index = alloc::vec![EMPTY; size].into_boxed_slice();
        for (at, pair) in pairs.iter().enumerate() {
            let words = Words::of_pair(&pair.target, &pair.request);
            let mut slot = words.hash() & (size - 1);
            while index[slot].words.len != 0 {
                slot = (slot + 1) & (size - 1);
            }
            index[slot] = Indexed { words, number: at as u32 };
        }
        Self { pairs: pairs.as_slice().into(), targets: targets.into(), known: known.into(), index }
    }

    /// The number of a pair of names that somebody answers.
    pub(crate) fn find(&self, target: &str, request: &str) -> Option<Route> {
        let is = |pair: &Pair| *pair.request == *request && *pair.target == *target;
        let number = self.number(Words::of_pair(target, request), is)?;
        self.targets[number as usize].map(|_| Route(number))
    }

    /// Who answers `target.request` now.
    #[inline(always)]
    pub(crate) fn at_path(&self, path: &str) -> Option<&Target> {
        let number = self.number(Words::of(path), |pair| {
            let (target, request) = (pair.target.as_bytes(), pair.request.as_bytes());
            // Its words have told all of a short one, and its length of any.
            path.len() <= 2 * Words::SIZE
                || path.as_bytes().split_at_checked(target.len()).is_some_and(|(before, after)| {
                    before == target && after.first() == Some(&b'.') && after[1..] == *request
                })
        })?;
        self.targets.get(number as usize)?.as_ref()
    }

    #[inline(always)]
    fn number(&self, words: Words, is: impl Fn(&Pair) -> bool) -> Option<u32> {
        let mask = self.index.len() - 1;
        let mut slot = words.hash() & mask;
        loop {
            let found = self.index.get(slot)?;
            if found.words.len == 0 {
                return None;
            }
            if found.words == words && is(&self.pairs[found.number as usize]) {
                return Some(found.number);
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

/// The first and the last bytes of a path, and its length: enough to tell most apart, and quick to read.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Words {
    first: u64,
    last: u64,
    len: usize,
}

impl Words {
    const SIZE: usize = size_of::<u64>();

    #[inline(always)]
    fn of(path: &str) -> Self {
        let bytes = path.as_bytes();
        let (first, last) = match (bytes.first_chunk(), bytes.last_chunk()) {
            (Some(first), Some(last)) => (u64::from_le_bytes(*first), u64::from_le_bytes(*last)),
            _ => (bytes.iter().rev().fold(0, |word, byte| word << 8 | u64::from(*byte)), 0),
        };
        Self { first, last, len: bytes.len() }
    }

    /// The words of `target.request`.
    fn of_pair(target: &str, request: &str) -> Self {
        let len = target.len() + 1 + request.len();
        let bytes = || target.bytes().chain([b'.']).chain(request.bytes());
        let word = |bytes: &mut dyn Iterator<Item = u8>| {
            let mut word = [0; Self::SIZE];
            word.iter_mut().zip(bytes).for_each(|(to, byte)| *to = byte);
            word
        };
        let first = u64::from_le_bytes(word(&mut bytes()));
        let last = if len < Self::SIZE { 0 } else { u64::from_be_bytes(word(&mut bytes().rev())) };
        Self { first, last, len }
    }

    #[inline(always)]
    fn hash(self) -> usize {
        const ODD: u64 = 0x9e37_79b9_7f4a_7c15;
        let mixed = (self.first ^ self.last.rotate_left(23) ^ self.len as u64).wrapping_mul(ODD);
        (mixed >> 32) as usize
    }
}
