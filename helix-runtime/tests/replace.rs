//! A module is replaced over and over while everybody calls it: no update and no event is lost, doubled or out of order.
#![allow(missing_docs)]

mod within;

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use helix_runtime::prelude::*;
use helix_runtime::{Descriptor, Module, ModuleSet, Runtime, Transition, modules};
use within::{Census, Token, rounds, within};

const THREADS: usize = 4;
/// Each thread publishes under a number of its own, and so does each handler on its behalf.
const PUBLISHERS: usize = 2 * THREADS;
const MIRI_ROUNDS: u64 = 6;

/// The `number`th event of one publisher.
#[helix_message]
#[derive(Debug, Clone, EventType)]
#[event(topic = "load", name = "load.numbered")]
pub struct Numbered {
    pub publisher: u32,
    pub number: u64,
}

/// What a store has seen.
#[helix_message]
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Seen {
    pub sum: u64,
    /// The last number of each publisher.
    pub heard: Vec<u64>,
    /// How often a number did not follow the one before.
    pub faults: u64,
}

/// The same, as the second version saves it.
#[helix_message]
pub struct SeenV2 {
    pub faults: u64,
    pub sum: u64,
    pub version: u8,
    pub heard: Vec<u64>,
}

/// What a store keeps, for those who have it alone and for those who share it.
pub struct Books {
    token: Token,
    sum: AtomicU64,
    heard: [AtomicU64; PUBLISHERS],
    faults: AtomicU64,
}

static CENSUS: Census = Census::new();

impl Default for Books {
    fn default() -> Self {
        let zeros = std::array::from_fn(|_| AtomicU64::new(0));
        Self { token: CENSUS.token(), sum: AtomicU64::new(0), heard: zeros, faults: AtomicU64::new(0) }
    }
}

impl Books {
    /// Alone: plain loads and stores, which miri and the sum would give away if two were inside.
    fn add(&mut self, n: u64) -> u64 {
        self.token.enter();
        let sum = self.sum.get_mut();
        *sum += n;
        let sum = *sum;
        self.token.leave();
        sum
    }

    fn hear(&mut self, event: &Numbered) {
        self.token.enter();
        let before = self.heard[event.publisher as usize].get_mut();
        if *before + 1 != event.number {
            *self.faults.get_mut() += 1;
        }
        *before = event.number;
        self.token.leave();
    }

    fn add_shared(&self, n: u64) -> u64 {
        self.token.enter();
        let sum = self.sum.fetch_add(n, Ordering::Relaxed) + n;
        self.token.leave();
        sum
    }

    fn hear_shared(&self, event: &Numbered) {
        self.token.enter();
        // A publisher's events come one after another, whichever thread they are on.
        let before = self.heard[event.publisher as usize].swap(event.number, Ordering::Relaxed);
        if before + 1 != event.number {
            self.faults.fetch_add(1, Ordering::Relaxed);
        }
        self.token.leave();
    }

    fn seen(&self) -> Seen {
        self.token.enter();
        let load = |value: &AtomicU64| value.load(Ordering::Relaxed);
        let seen =
            Seen { sum: load(&self.sum), heard: self.heard.iter().map(load).collect(), faults: load(&self.faults) };
        self.token.leave();
        seen
    }

    fn take_back(&mut self, seen: Seen) {
        *self.sum.get_mut() = seen.sum;
        *self.faults.get_mut() = seen.faults;
        for (to, from) in self.heard.iter_mut().zip(seen.heard) {
            *to.get_mut() = from;
        }
    }
}

/// A store in two versions that restore each other's state, with the same handlers.
macro_rules! stores {
    ($module:ident { $($handlers:tt)* }) => {
        mod $module {
            use super::*;

            #[helix_module(name = "store", version = "1.0.0", flags = HOT_RELOADABLE)]
            #[derive(Default)]
            pub struct One {
                books: Books,
            }
            #[helix_handlers]
            impl One {
                $($handlers)*
                #[on_save(version = 1)]
                fn save(&self) -> Seen { self.books.seen() }
                #[on_restore(version = 1)]
                fn restore(&mut self, seen: Seen) { self.books.take_back(seen); }
                #[on_restore(version = 2)]
                fn restore_v2(&mut self, SeenV2 { faults, sum, heard, .. }: SeenV2) {
                    self.books.take_back(Seen { sum, heard, faults });
                }
            }

            #[helix_module(name = "store", version = "2.0.0", flags = HOT_RELOADABLE)]
            #[derive(Default)]
            pub struct Two {
                books: Books,
            }
            #[helix_handlers]
            impl Two {
                $($handlers)*
                #[on_save(version = 2)]
                fn save(&self) -> SeenV2 {
                    let Seen { sum, heard, faults } = self.books.seen();
                    SeenV2 { sum, heard, faults, version: 2 }
                }
                #[on_restore(version = 1)]
                fn restore_v1(&mut self, seen: Seen) { self.books.take_back(seen); }
                #[on_restore(version = 2)]
                fn restore(&mut self, SeenV2 { faults, sum, heard, .. }: SeenV2) {
                    self.books.take_back(Seen { sum, heard, faults });
                }
            }
        }
    };
}

stores!(locked {
    #[on_request]
    fn add(&mut self, n: u64) -> u64 { self.books.add(n) }
    #[on_event(Numbered)]
    fn hear(&mut self, event: &Numbered) { self.books.hear(event); }
    #[on_request]
    fn seen(&mut self) -> Seen { self.books.seen() }
});
stores!(lockless {
    #[on_request]
    fn add(&self, n: u64) -> u64 { self.books.add_shared(n) }
    #[on_event(Numbered)]
    fn hear(&self, event: &Numbered) { self.books.hear_shared(event); }
    #[on_request]
    fn seen(&self) -> Seen { self.books.seen() }
});
stores!(mixed {
    #[on_request]
    fn add(&mut self, n: u64) -> u64 { self.books.add(n) }
    #[on_event(Numbered)]
    fn hear(&self, event: &Numbered) { self.books.hear_shared(event); }
    #[on_request]
    fn seen(&self) -> Seen { self.books.seen() }
});

/// Two that need the store and stand between it and its callers: one is made anew with it, one is stopped and started.
macro_rules! fronts {
    ($($ident:ident ($($options:tt)*) { $($more:tt)* })*) => { $(
        #[helix_module(dependencies = ["store"], $($options)*)]
        #[derive(Default)]
        pub struct $ident {
            relayed: u64,
        }
        #[helix_handlers]
        impl $ident {
            #[on_request]
            fn relay(&mut self, n: u64, ctx: &Context) -> Result<u64, ModuleError> {
                self.relayed += 1;
                Ok(ctx.call::<(u64,), u64>("store.add", (n,))?)
            }
            #[on_request]
            fn tell(&self, publisher: u32, number: u64, ctx: &Context) -> Result<(), ModuleError> {
                let told = ctx.publish(&Numbered { publisher, number });
                if told.handled + told.queued == 1 && told.is_clean() { Ok(()) } else { Err(format!("{told:?}").into()) }
            }
            #[on_request]
            fn relayed(&self) -> u64 { self.relayed }
            $($more)*
        }
    )* };
}
fronts! {
    Front (name = "front", flags = HOT_RELOADABLE) {
        #[on_save(version = 1)]
        fn save(&self) -> u64 { self.relayed }
        #[on_restore(version = 1)]
        fn restore(&mut self, relayed: u64) { self.relayed = relayed; }
    }
    Plain (name = "plain") {}
}

/// What one thread did.
#[derive(Default)]
struct Done {
    added: u64,
    /// The last number of its own, and that of the handlers it asked to publish.
    numbers: [u64; 2],
    relayed: [u64; 2],
}

fn load(runtime: &Runtime, thread: usize, over: &AtomicBool) -> Done {
    let mut done = Done::default();
    let publishers = [thread as u32, (THREADS + thread) as u32];
    while !over.load(Ordering::Relaxed) {
        let sum = runtime.call::<(u64,), u64>("store.add", (1,)).unwrap();
        done.added += 1;
        assert!(sum >= done.added);
        for (front, name) in ["front", "plain"].into_iter().enumerate() {
            runtime.call::<(u64,), u64>(&format!("{name}.relay"), (1,)).unwrap();
            done.added += 1;
            done.relayed[front] += 1;
            done.numbers[1] += 1;
            let tell = (publishers[1], done.numbers[1]);
            runtime.call::<(u32, u64), ()>(&format!("{name}.tell"), tell).unwrap();
        }
        done.numbers[0] += 1;
        let told = runtime.publish(&Numbered { publisher: publishers[0], number: done.numbers[0] });
        assert!(told.is_clean() && told.handled + told.queued == 1, "{told:?}");
    }
    done
}

/// What is to be replaced by which version, in turn.
type Step = (&'static str, &'static Descriptor);

fn under_load(set: ModuleSet, steps: &[Step]) {
    let timeout = std::time::Duration::from_secs(if cfg!(miri) { 200 } else { 5 });
    let runtime = Runtime::builder().modules(set).drain_timeout(timeout).build().unwrap();
    runtime.start().unwrap();
    let over = AtomicBool::new(false);
    let done: Vec<Done> = std::thread::scope(|scope| {
        let (runtime, over) = (&runtime, &over);
        let threads: Vec<_> = (0..THREADS).map(|thread| scope.spawn(move || load(runtime, thread, over))).collect();
        let times = rounds(10_000, MIRI_ROUNDS);
        let replaced = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            for (name, descriptor) in steps.iter().cycle().take(times as usize) {
                let id = runtime.module_id(name).unwrap();
                assert_eq!(runtime.replace(id, descriptor), Ok(Transition::Done));
            }
        }));
        over.store(true, Ordering::Relaxed);
        replaced.unwrap();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    runtime.poll(std::time::Duration::ZERO);
    let heard = |which: usize| done.iter().map(move |done| done.numbers[which]);
    let sum = done.iter().map(|done| done.added).sum();
    let expected = Seen { sum, heard: heard(0).chain(heard(1)).collect(), faults: 0 };
    assert_eq!(runtime.call::<(), Seen>("store.seen", ()), Ok(expected));
    for (front, name) in ["front.relayed", "plain.relayed"].into_iter().enumerate() {
        let relayed = done.iter().map(|done| done.relayed[front]).sum();
        assert_eq!(runtime.call::<(), u64>(name, ()), Ok(relayed));
    }
    assert_eq!(runtime.poll(std::time::Duration::ZERO).retired, 0);
    assert_eq!(CENSUS.living(), 1, "of {} instances only the last one is left", CENSUS.made());
    drop(runtime);
    assert_eq!((CENSUS.living(), CENSUS.wrongs()), (0, 0));
}

/// One test at a time counts what lives.
static TURN: std::sync::Mutex<()> = std::sync::Mutex::new(());

fn alone(run: impl FnOnce() + Send + 'static) {
    let _turn = TURN.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    within(300, run);
}

#[test]
fn nothing_is_lost_when_a_module_with_a_lock_is_replaced() {
    alone(|| {
        let steps = [("store", locked::Two::DESCRIPTOR), ("store", locked::One::DESCRIPTOR)];
        under_load(modules![locked::One, Front, Plain], &steps);
    });
}

#[test]
fn nothing_is_lost_when_a_module_without_a_lock_is_replaced() {
    alone(|| {
        let steps = [("store", lockless::Two::DESCRIPTOR), ("store", lockless::One::DESCRIPTOR)];
        under_load(modules![lockless::One, Front, Plain], &steps);
    });
}

#[test]
fn nothing_is_lost_when_a_module_with_readers_and_writers_is_replaced() {
    alone(|| {
        let steps = [("store", mixed::Two::DESCRIPTOR), ("store", mixed::One::DESCRIPTOR)];
        under_load(modules![mixed::One, Front, Plain], &steps);
    });
}

#[test]
fn a_module_may_change_its_lock_from_version_to_version() {
    alone(|| {
        let steps = [
            ("store", lockless::Two::DESCRIPTOR),
            ("store", mixed::One::DESCRIPTOR),
            ("store", locked::Two::DESCRIPTOR),
            ("store", locked::One::DESCRIPTOR),
        ];
        under_load(modules![locked::One, Front, Plain], &steps);
    });
}

#[test]
fn nothing_is_lost_when_both_sides_of_a_call_are_replaced() {
    alone(|| {
        let steps = [
            ("store", locked::Two::DESCRIPTOR),
            ("front", Front::DESCRIPTOR),
            ("store", lockless::One::DESCRIPTOR),
            ("front", Front::DESCRIPTOR),
        ];
        under_load(modules![locked::One, Front, Plain], &steps);
    });
}
