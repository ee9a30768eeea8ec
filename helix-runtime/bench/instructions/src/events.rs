//! An event to 1, 8 and 64 modules that listen to it side by side, and to 8 that are alone while they do.

use std::hint::black_box;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use helix_runtime::prelude::*;
use helix_runtime::{ModuleSet, Runtime, modules};

pub const TICK: Tick = Tick { timestamp_ns: 1, tick_number: 1 };

/// What every handler does: a load, an addition and a store that stay where they are.
#[inline(never)]
pub fn work(seen: &AtomicU64, by: u64) {
    seen.store(seen.load(Relaxed).wrapping_add(by), Relaxed);
}

macro_rules! listeners {
    ($set:ident: $($module:ident)*) => {
        $(
            #[helix_module]
            #[derive(Default)]
            pub struct $module {
                seen: AtomicU64,
            }
            #[helix_handlers]
            impl $module {
                #[on_event(Tick)]
                fn tick(&self, tick: &Tick) {
                    work(&self.seen, tick.tick_number);
                }
            }
        )*
        fn $set() -> ModuleSet {
            modules![$($module),*]
        }
    };
}
listeners!(eight: A0 A1 A2 A3 A4 A5 A6 A7);
listeners!(more: B0 B1 B2 B3 B4 B5 B6 B7 C0 C1 C2 C3 C4 C5 C6 C7 D0 D1 D2 D3 D4 D5 D6 D7 E0 E1 E2 E3 E4 E5 E6 E7
    F0 F1 F2 F3 F4 F5 F6 F7 G0 G1 G2 G3 G4 G5 G6 G7 H0 H1 H2 H3 H4 H5 H6 H7);

macro_rules! exclusive_listeners {
    ($set:ident: $($module:ident)*) => {
        $(
            #[helix_module]
            #[derive(Default)]
            pub struct $module {
                seen: AtomicU64,
            }
            #[helix_handlers]
            impl $module {
                #[on_event(Tick)]
                fn tick(&mut self, tick: &Tick) {
                    work(&self.seen, tick.tick_number);
                }
            }
        )*
        fn $set() -> ModuleSet {
            modules![$($module),*]
        }
    };
}
exclusive_listeners!(eight_alone: X0 X1 X2 X3 X4 X5 X6 X7);

pub fn publish_1(count: usize) {
    publish(vec![modules![A0]], 1, count);
}

pub fn publish_8(count: usize) {
    publish(vec![eight()], 8, count);
}

pub fn publish_64(count: usize) {
    publish(vec![eight(), more()], 64, count);
}

pub fn publish_exclusive_8(count: usize) {
    publish(vec![eight_alone()], 8, count);
}

fn publish(sets: Vec<ModuleSet>, listeners: u32, count: usize) {
    let runtime = sets.into_iter().fold(Runtime::builder(), |builder, set| builder.modules(set));
    let runtime = runtime.build().expect("the modules fit");
    runtime.start().expect("nothing can fail");
    for _ in 0..count {
        let heard = black_box(&runtime).publish(black_box(&TICK));
        assert_eq!(heard.handled, listeners);
    }
}
