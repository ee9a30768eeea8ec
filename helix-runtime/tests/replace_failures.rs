//! A replacement that fails in any step leaves the old version serving, with its state; nothing is made or dropped twice.
#![allow(missing_docs)]

mod within;

use std::cell::Cell;

use helix_runtime::prelude::*;
use helix_runtime::{Descriptor, LifecycleError, Module, ModuleState, Runtime, Supervision, Transition, modules};
use within::{Census, Token, until, within};

/// How a step goes wrong.
#[derive(Debug, Clone, Copy, PartialEq)]
enum How {
    Error,
    Panic,
}

// All steps of a replacement run on the thread that asks for it, which is the test's own.
thread_local! {
    static CENSUS: &'static Census = Box::leak(Box::new(Census::new()));
    /// The next such step of that module goes wrong.
    static TRIP: Cell<Option<(&'static str, &'static str, How)>> = const { Cell::new(None) };
}

fn trip(module: &'static str, step: &'static str) -> Result<(), ModuleError> {
    match TRIP.get() {
        Some((of, at, how)) if of == module && at == step => {
            TRIP.set(None);
            assert_ne!(how, How::Panic, "told to panic");
            Err("told to fail".into())
        }
        _ => Ok(()),
    }
}

fn token(module: &'static str) -> Token {
    trip(module, "create").unwrap();
    CENSUS.with(|census| census.token())
}

macro_rules! links {
    ($($ident:ident $new:ident $name:literal ($($options:tt)*) { $($more:tt)* })*) => { $(
        #[helix_module(name = $name, new = $new, $($options)*)]
        pub struct $ident {
            _token: Token,
            count: u64,
        }
        fn $new() -> $ident {
            $ident { _token: token($name), count: 0 }
        }
        #[helix_handlers]
        impl $ident {
            #[on_init]
            fn init(&mut self) -> Result<(), ModuleError> { trip($name, "on_init") }
            #[on_start]
            fn start(&mut self) -> Result<(), ModuleError> { trip($name, "on_start") }
            #[on_stop]
            fn stop(&mut self) -> Result<(), ModuleError> { trip($name, "on_stop") }
            #[on_health]
            fn health(&self) -> bool { trip($name, "on_health").is_ok() }
            #[on_request]
            fn add(&mut self) -> u64 { self.count += 1; self.count }
            #[on_event(Tick)]
            fn tick(&mut self) { self.count += 1; }
            $($more)*
        }
    )* };
}

links! {
    Base new_base "base" (version = "1.0.0", flags = HOT_RELOADABLE) {
        #[on_save(version = 1)]
        fn save(&self) -> Result<u64, ModuleError> { trip("base", "on_save").map(|()| self.count) }
        #[on_restore(version = 1)]
        fn restore(&mut self, count: u64) -> Result<(), ModuleError> { self.count = count; trip("base", "on_restore") }
    }
    Base2 new_base2 "base" (version = "2.0.0", flags = HOT_RELOADABLE) {
        #[on_save(version = 2)]
        fn save(&self) -> Result<u32, ModuleError> { trip("base", "on_save").map(|()| self.count as u32) }
        #[on_restore(version = 2)]
        fn restore(&mut self, count: u32) { self.count = count.into(); }
        #[on_restore(version = 1)]
        fn restore_v1(&mut self, count: u64) -> Result<(), ModuleError> {
            self.count = count;
            trip("base", "on_restore")
        }
    }
    // Saves what nobody restores, and restores nothing that others save.
    Stranger new_stranger "base" (version = "3.0.0", flags = HOT_RELOADABLE) {
        #[on_save(version = 9)]
        fn save(&self) -> u64 { self.count }
        #[on_restore(version = 9)]
        fn restore(&mut self, count: u64) { self.count = count; }
    }
    // Takes the version's number for another type.
    Misread new_misread "base" (version = "3.0.1", flags = HOT_RELOADABLE) {
        #[on_save(version = 1)]
        fn save(&self) -> i64 { self.count as i64 }
        #[on_restore(version = 1)]
        fn restore(&mut self, count: i64) { self.count = count as u64; }
    }
    Leaf new_leaf "leaf" (dependencies = ["base"], flags = HOT_RELOADABLE) {
        #[on_save(version = 1)]
        fn save(&self) -> Result<u64, ModuleError> { trip("leaf", "on_save").map(|()| self.count) }
        #[on_restore(version = 1)]
        fn restore(&mut self, count: u64) -> Result<(), ModuleError> { self.count = count; trip("leaf", "on_restore") }
    }
    Rest new_rest "rest" (dependencies = ["base", "leaf"]) {}
}

fn started() -> Runtime {
    let runtime =
        Runtime::builder().modules(modules![Rest, Leaf, Base]).supervision(Supervision::NEVER).build().unwrap();
    runtime.start().unwrap();
    runtime
}

fn replace(runtime: &Runtime, by: &'static Descriptor) -> Result<Transition, LifecycleError> {
    runtime.replace(runtime.module_id("base").unwrap(), by)
}

/// Everyone serves, and has counted what it was sent. One more call and one more event each.
#[track_caller]
fn serves(runtime: &Runtime, count: &mut u64) {
    for name in ["base", "leaf", "rest"] {
        assert_eq!(runtime.call::<(), u64>(&format!("{name}.add"), ()), Ok(*count + 1));
    }
    let heard = runtime.publish(&Tick { timestamp_ns: 0, tick_number: 0 });
    assert!(heard.is_clean() && heard.handled == 3, "{heard:?}");
    *count += 2;
    // Calls of other tests may keep what was replaced for a while.
    until(|| runtime.poll(std::time::Duration::ZERO).retired == 0);
    let census = CENSUS.with(|census| *census);
    assert_eq!((census.living(), census.wrongs()), (3, 0), "one instance of each lives");
}

#[test]
fn whatever_step_fails_the_old_versions_serve_on() {
    within(60, || {
        let runtime = started();
        let mut count = 0;
        serves(&runtime, &mut count);
        let steps = ["create", "on_init", "on_save", "on_restore", "on_health", "on_stop", "on_start"];
        for module in ["base", "leaf", "rest"] {
            for step in steps {
                if module == "rest" && !matches!(step, "on_stop" | "on_start") {
                    continue;
                }
                for how in [How::Error, How::Panic] {
                    TRIP.set(Some((module, step, how)));
                    let error = replace(&runtime, Base2::DESCRIPTOR).unwrap_err();
                    assert_eq!(TRIP.get(), None);
                    assert_eq!((&*error.module, error.step), (module, step), "{error}");
                    let version = runtime.modules()[0].info.version.to_string();
                    assert_eq!(version, "1.0.0", "after {error}");
                    serves(&runtime, &mut count);
                }
            }
        }
        assert_eq!(replace(&runtime, Base2::DESCRIPTOR), Ok(Transition::Done));
        serves(&runtime, &mut count);
        // From the second version, which saves anew, to one that restores its version but not its type's name.
        assert_eq!(replace(&runtime, Base2::DESCRIPTOR), Ok(Transition::Done));
        serves(&runtime, &mut count);
        drop(runtime);
        let census = CENSUS.with(|census| *census);
        assert_eq!((census.living(), census.wrongs()), (0, 0));
    });
}

#[test]
fn a_state_that_nothing_restores_is_no_loss() {
    within(60, || {
        let runtime = started();
        let mut count = 0;
        serves(&runtime, &mut count);
        let error = replace(&runtime, Stranger::DESCRIPTOR).unwrap_err().to_string();
        assert!(error.ends_with("`base` has no handler for it; add `#[on_restore(version = 1)]`"), "{error}");
        serves(&runtime, &mut count);
        let error = replace(&runtime, Misread::DESCRIPTOR).unwrap_err().to_string();
        assert!(error.contains("takes i64, and what was saved is of another schema"), "{error}");
        serves(&runtime, &mut count);
    });
}

/// A start that fails, after which the old one does not start again either.
#[test]
fn an_old_version_that_cannot_go_on_has_failed_and_nobody_is_stuck() {
    within(60, || {
        thread_local!(static STARTS: Cell<u32> = const { Cell::new(0) });
        #[helix_module(name = "fragile", flags = HOT_RELOADABLE, stateless)]
        #[derive(Default)]
        pub struct Fragile;
        #[helix_handlers]
        impl Fragile {
            #[on_start]
            fn start(&self) -> Result<(), ModuleError> {
                STARTS.set(STARTS.get() + 1);
                if STARTS.get() == 1 { Ok(()) } else { Err("never again".into()) }
            }
            #[on_request]
            fn one(&self) -> u64 {
                1
            }
        }
        let runtime = Runtime::builder().modules(modules![Fragile]).supervision(Supervision::NEVER).build().unwrap();
        runtime.start().unwrap();
        let id = runtime.module_id("fragile").unwrap();
        assert_eq!(runtime.replace(id, Fragile::DESCRIPTOR).unwrap_err().step, "on_start");
        assert_eq!(runtime.modules()[0].state, ModuleState::Failed);
        let called = runtime.call::<(), u64>("fragile.one", ());
        assert_eq!(called, Err(IpcError::NotRunning { module: "fragile".into(), state: ModuleState::Failed }));
        assert_eq!(runtime.remove(id), Ok(Transition::Done));
    });
}
