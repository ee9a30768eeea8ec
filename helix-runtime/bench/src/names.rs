//! Requests by name: `Runtime::call` against a `match`, always the same name or one name after another at random.

use std::collections::HashMap;
use std::hint::black_box;

use helix_runtime::{Module, Runtime};

use crate::desk::{Desk, lone};
use crate::matches::{Desks, Matched, Some32};
use crate::row::{Contender, Field, Row};
use crate::work::{keep, renamed, running, tally};

/// Which name comes when.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Order {
    /// Always the same, in the middle.
    Hot,
    /// The same random sequence for all.
    Random,
}

/// A power of two, so that the next is found by a mask.
const SEQUENCE: usize = 8192;

impl Order {
    fn of(self, names: &'static [&'static str]) -> Vec<&'static str> {
        let mut state = 0x9e37_79b9_7f4a_7c15_u64;
        let next = || {
            // xorshift: every run draws the same names.
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            names[(state >> 32) as usize % names.len()]
        };
        match self {
            Self::Hot => vec![names[names.len() / 2]; SEQUENCE],
            Self::Random => std::iter::repeat_with(next).take(SEQUENCE).collect(),
        }
    }
}

/// One contender: how it finds and calls a name.
fn contender(
    name: &'static str,
    sequence: Vec<&'static str>,
    call: impl Fn(&str, u64) -> u64 + 'static,
    calls: impl Fn() -> Vec<u64> + 'static,
) -> Contender {
    let mut at = 0;
    let run = move |operations| {
        for _ in 0..operations {
            at = (at + 1) % SEQUENCE;
            black_box(call(black_box(sequence[at]), black_box(3)));
        }
    };
    Contender::new(name, run, calls)
}

fn desks() -> (&'static Desks, impl Fn() -> Vec<u64>) {
    let desks = keep(Desks::default());
    (desks, || desks.iter().map(Desk::calls).collect())
}

fn floor<M: Matched>(order: Order) -> Contender {
    let (desks, calls) = desks();
    let call = move |name: &str, number| M::call(black_box(desks), name, number).expect("there is such a name");
    contender("`match` on the name", order.of(M::NAMES), call, calls)
}

fn ours<M: Matched>(order: Order) -> Contender {
    let modules: Vec<_> = match M::NAMES {
        [_] => vec![lone()],
        _ => M::MODULES.iter().map(|&name| renamed(Desk::DESCRIPTOR, name.into())).collect(),
    };
    let runtime = running(Runtime::builder(), modules);
    let call =
        move |name: &str, number| black_box(runtime).call::<(u64,), u64>(name, (number,)).expect("its module runs");
    contender("`Runtime::call`", order.of(M::NAMES), call, move || tally(runtime))
}

/// The name's call against the match.
pub fn by_name<M: Matched>(order: Order) -> Field {
    Field::new(floor::<M>(order), ours::<M>(order))
}

type Call = fn(&Desks, u64) -> u64;

static PERFECT: phf::Map<&'static str, Call> = phf::phf_map! {
    "storage.get" => |desks, number| desks[0].get(number),
    "storage.put" => |desks, number| desks[0].put(number),
    "storage.list" => |desks, number| desks[0].list(number),
    "storage.drop" => |desks, number| desks[0].drop(number),
    "storage.open" => |desks, number| desks[0].open(number),
    "storage.close" => |desks, number| desks[0].close(number),
    "storage.stat" => |desks, number| desks[0].stat(number),
    "storage.sync" => |desks, number| desks[0].sync(number),
    "scheduler.get" => |desks, number| desks[1].get(number),
    "scheduler.put" => |desks, number| desks[1].put(number),
    "scheduler.list" => |desks, number| desks[1].list(number),
    "scheduler.drop" => |desks, number| desks[1].drop(number),
    "scheduler.open" => |desks, number| desks[1].open(number),
    "scheduler.close" => |desks, number| desks[1].close(number),
    "scheduler.stat" => |desks, number| desks[1].stat(number),
    "scheduler.sync" => |desks, number| desks[1].sync(number),
    "journal.get" => |desks, number| desks[2].get(number),
    "journal.put" => |desks, number| desks[2].put(number),
    "journal.list" => |desks, number| desks[2].list(number),
    "journal.drop" => |desks, number| desks[2].drop(number),
    "journal.open" => |desks, number| desks[2].open(number),
    "journal.close" => |desks, number| desks[2].close(number),
    "journal.stat" => |desks, number| desks[2].stat(number),
    "journal.sync" => |desks, number| desks[2].sync(number),
    "network.get" => |desks, number| desks[3].get(number),
    "network.put" => |desks, number| desks[3].put(number),
    "network.list" => |desks, number| desks[3].list(number),
    "network.drop" => |desks, number| desks[3].drop(number),
    "network.open" => |desks, number| desks[3].open(number),
    "network.close" => |desks, number| desks[3].close(number),
    "network.stat" => |desks, number| desks[3].stat(number),
    "network.sync" => |desks, number| desks[3].sync(number),
};

fn perfect(order: Order) -> Contender {
    let (desks, calls) = desks();
    let call = move |name: &str, number| PERFECT[name](black_box(desks), number);
    contender("`phf` map of functions", order.of(Some32::NAMES), call, calls)
}

fn hashed(order: Order) -> Contender {
    let (desks, calls) = desks();
    let closure = |call: Call| Box::new(move |number| call(desks, number)) as Box<dyn Fn(u64) -> u64>;
    let map: HashMap<String, _> = PERFECT.entries().map(|(name, &call)| (name.to_string(), closure(call))).collect();
    let call = move |name: &str, number| map[name](number);
    contender("`HashMap<String, Box<dyn Fn>>`", order.of(Some32::NAMES), call, calls)
}

/// The rows.
pub fn rows() -> Vec<Row> {
    let row = |what, order| {
        let make = move || by_name::<Some32>(order).beside([perfect(order), hashed(order)]);
        Row::new(what, make).within(1.2)
    };
    vec![row("request by name, always one of 32", Order::Hot), row("request by name, 32 at random", Order::Random)]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::matches::{Eight, Many200, One};

    fn finds_all<M: Matched>(count: usize) {
        let desks = Desks::default();
        assert_eq!(M::NAMES.len(), count);
        for name in M::NAMES {
            assert!(M::call(&desks, name, 0).is_some(), "{name}");
        }
        assert_eq!(M::call(&desks, "nobody.get", 0), None);
    }

    #[test]
    fn every_name_is_found_by_the_match() {
        finds_all::<One>(1);
        finds_all::<Eight>(8);
        finds_all::<Some32>(32);
        finds_all::<Many200>(200);
    }
}
