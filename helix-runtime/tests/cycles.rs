//! Calls through up to eight modules: a circle is an error that shows it, and whoever is only in the way is waited for.
#![allow(missing_docs)]

mod within;

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use helix_runtime::prelude::*;
use helix_runtime::{Descriptor, IpcResult, Module, ModuleSet, ModuleState, Runtime, modules};
use within::{rounds, within};

macro_rules! links {
    ($($ident:ident $name:literal ($($options:tt)*) { $($more:tt)* })*) => { $(
        #[helix_module(name = $name, $($options)*)]
        #[derive(Default)]
        pub struct $ident {
            calls: u64,
        }
        #[helix_handlers]
        impl $ident {
            /// Calls the first of a path, which calls the next; alone.
            #[on_request]
            fn pass(&mut self, path: Vec<String>, ctx: &Context) -> Result<u64, ModuleError> {
                self.calls += 1;
                on(path, ctx)
            }
            /// The same, beside others.
            #[on_request]
            fn share(&self, path: Vec<String>, ctx: &Context) -> Result<u64, ModuleError> {
                on(path, ctx)
            }
            /// Calls itself until it is told that it is too deep.
            #[on_request]
            fn dive(&self, ctx: &Context) -> Result<u64, ModuleError> {
                Ok(ctx.call::<(), u64>(concat!($name, ".dive"), ())?)
            }
            #[on_request]
            fn calls(&self) -> u64 { self.calls }
            $($more)*
        }
    )* };
}

fn on(path: Vec<String>, ctx: &Context) -> Result<u64, ModuleError> {
    match path.split_first() {
        None => Ok(0),
        Some((next, rest)) => Ok(1 + ctx.call::<(Vec<String>,), u64>(next, (rest.to_vec(),))?),
    }
}

/// Links that can be made anew with their state.
macro_rules! kept {
    ($($ident:ident $name:literal ($($options:tt)*))*) => {
        links! { $(
            $ident $name (flags = HOT_RELOADABLE, $($options)*) {
                #[on_save(version = 1)]
                fn save(&self) -> u64 { self.calls }
                #[on_restore(version = 1)]
                fn restore(&mut self, calls: u64) { self.calls = calls; }
            }
        )* }
    };
}

// Nobody says that they need each other.
mod loose {
    use super::*;
    kept! { M0 "m0" () M1 "m1" () M2 "m2" () M3 "m3" () M4 "m4" () M5 "m5" () M6 "m6" () M7 "m7" () Aside "aside" () }

    pub fn set() -> ModuleSet {
        modules![M0, M1, M2, M3, M4, M5, M6, M7, Aside]
    }
    pub const ALL: [&Descriptor; 8] = [
        M0::DESCRIPTOR,
        M1::DESCRIPTOR,
        M2::DESCRIPTOR,
        M3::DESCRIPTOR,
        M4::DESCRIPTOR,
        M5::DESCRIPTOR,
        M6::DESCRIPTOR,
        M7::DESCRIPTOR,
    ];
}

// Each needs the next, and every third is not made anew but stopped and started.
mod bound {
    use super::*;
    kept! {
        M0 "m0" (dependencies = ["m1"])
        M1 "m1" (dependencies = ["m2"])
        M3 "m3" (dependencies = ["m4"])
        M4 "m4" (dependencies = ["m5"])
        M6 "m6" (dependencies = ["m7"])
        M7 "m7" ()
        Aside "aside" ()
    }
    links! {
        M2 "m2" (dependencies = ["m3"]) {}
        M5 "m5" (dependencies = ["m6"]) {}
    }
    pub fn set() -> ModuleSet {
        modules![M0, M1, M2, M3, M4, M5, M6, M7, Aside]
    }
    pub const ALL: [&Descriptor; 4] = [M0::DESCRIPTOR, M3::DESCRIPTOR, M6::DESCRIPTOR, M7::DESCRIPTOR];
}

const THREADS: usize = 4;

fn started(set: ModuleSet) -> Runtime {
    let timeout = std::time::Duration::from_secs(if cfg!(miri) { 200 } else { 20 });
    let runtime = Runtime::builder().modules(set).drain_timeout(timeout).build().unwrap();
    runtime.start().unwrap();
    runtime
}

/// Calls along a path of requests.
fn walk(runtime: &Runtime, path: &[String]) -> IpcResult<u64> {
    runtime.call::<(Vec<String>,), u64>(&path[0], (path[1..].to_vec(),))
}

fn passing(modules: impl Iterator<Item = usize>) -> Vec<String> {
    modules.map(|module| format!("m{module}.pass")).collect()
}

#[test]
fn a_circle_on_one_thread_is_an_error_that_shows_it() {
    within(60, || {
        let runtime = started(loose::set());
        for modules in 1..=8 {
            let circle = (0..modules).chain([0]);
            let names: Vec<_> = circle.clone().map(|module| format!("m{module}")).collect();
            let error = walk(&runtime, &passing(circle.clone())).unwrap_err().to_string();
            let busy = format!("module is busy: {}", names.join(" -> "));
            assert!(error.ends_with(&busy), "{error} should end in {busy}");

            // Who shares the first may not have it alone further in, nor the other way about; to share it twice is fine.
            for (first, last, fine) in [("share", "pass", false), ("pass", "share", false), ("share", "share", true)] {
                let mut path = passing(circle.clone());
                path[0] = format!("m0.{first}");
                path[modules] = format!("m0.{last}");
                assert_eq!(walk(&runtime, &path).is_ok(), fine, "{path:?}");
            }
        }
        let error = runtime.call::<(), u64>("m0.dive", ()).unwrap_err().to_string();
        assert!(error.contains("nested deeper than 32: m0 -> m0 -> m0"), "{error}");
        assert_eq!(walk(&runtime, &passing(0..8)), Ok(7), "nothing is held any more");
    });
}

#[test]
fn a_circle_over_threads_is_an_error_and_never_a_hang() {
    within(120, || {
        for modules in 2..=8 {
            let runtime = started(loose::set());
            let (fine, circles) = (AtomicU64::new(0), AtomicU64::new(0));
            let times = rounds(500, 3);
            std::thread::scope(|scope| {
                for thread in 0..THREADS {
                    let (runtime, fine, circles) = (&runtime, &fine, &circles);
                    scope.spawn(move || {
                        for round in 0..times as usize {
                            let from = thread * modules / THREADS;
                            let mut path: Vec<_> = (0..modules).map(|step| (from + step) % modules).collect();
                            // Every other time it closes on itself, which is always an error.
                            let closes = round % 2 == 1;
                            path.extend(closes.then_some(from));
                            match walk(runtime, &passing(path.into_iter())) {
                                Ok(calls) => {
                                    assert!(!closes && calls == modules as u64 - 1);
                                    fine.fetch_add(1, Ordering::Relaxed);
                                }
                                Err(error) => {
                                    assert!(error.to_string().contains("module is busy: m"), "{error}");
                                    circles.fetch_add(1, Ordering::Relaxed);
                                }
                            }
                        }
                    });
                }
            });
            assert_eq!(fine.into_inner() + circles.into_inner(), THREADS as u64 * times);
            assert_eq!(walk(&runtime, &passing(0..modules)), Ok(modules as u64 - 1), "nothing is held any more");
        }
    });
}

/// A path through some of the modules in their order, by handlers that share or do not. And how many of each were passed.
fn upwards(random: &mut u64, passed: &mut [u64; 8]) -> Vec<String> {
    loop {
        let mut path = Vec::new();
        let mut alone = *passed;
        for (module, count) in alone.iter_mut().enumerate() {
            *random ^= *random << 13;
            *random ^= *random >> 7;
            *random ^= *random << 17;
            let handler = match *random % 4 {
                0 => "pass",
                1 => "share",
                _ => continue,
            };
            *count += u64::from(handler == "pass");
            path.push(format!("m{module}.{handler}"));
        }
        if path.len() >= 2 {
            *passed = alone;
            return path;
        }
    }
}

/// Four threads call upwards while `meddle` changes things; `forgives` says what may go wrong with a call meanwhile.
fn contend(runtime: &Runtime, meddle: impl Fn(u64), forgives: impl Fn(&IpcError) -> bool + Sync) {
    let times = rounds(1500, 4);
    let over = AtomicBool::new(false);
    let (mut expected, mut forgiven) = ([0; 8], 0);
    std::thread::scope(|scope| {
        let (over, forgives) = (&over, &forgives);
        let threads: Vec<_> = (0..THREADS as u64)
            .map(|thread| {
                scope.spawn(move || {
                    let (mut random, mut passed, mut forgiven) = (0x9e37_79b9 + thread, [0; 8], 0);
                    while !over.load(Ordering::Relaxed) {
                        let path = upwards(&mut random, &mut passed);
                        match walk(runtime, &path) {
                            Ok(calls) => assert_eq!(calls as usize, path.len() - 1),
                            Err(error) => {
                                assert!(forgives(&error), "{path:?}: {error}");
                                forgiven += 1;
                            }
                        }
                    }
                    (passed, forgiven)
                })
            })
            .collect();
        let meddled = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| (0..times).for_each(meddle)));
        over.store(true, Ordering::Relaxed);
        for thread in threads {
            let (passed, forgave): ([u64; 8], u64) = thread.join().unwrap();
            expected.iter_mut().zip(passed).for_each(|(sum, passed)| *sum += passed);
            forgiven += forgave;
        }
        meddled.unwrap();
    });
    if forgiven == 0 {
        let calls = |module: usize| runtime.call::<(), u64>(&format!("m{module}.calls"), ()).unwrap();
        assert_eq!(std::array::from_fn(calls), expected, "every call was counted");
    }
}

fn never(_: &IpcError) -> bool {
    false
}

#[test]
fn plain_contention_is_waited_for() {
    within(120, || {
        let runtime = started(loose::set());
        let shared: Vec<_> = (0..8).map(|module| format!("m{module}.share")).collect();
        contend(&runtime, |_| assert_eq!(walk(&runtime, &shared), Ok(7)), never);
        let mut passed = [0; 8];
        assert!(walk(&runtime, &upwards(&mut 7, &mut passed)).is_ok());
    });
}

fn replaces(runtime: &Runtime, all: &[&'static Descriptor]) {
    contend(
        runtime,
        |round| {
            let descriptor = all[round as usize % all.len()];
            runtime.replace(runtime.module_id(descriptor.info.name).unwrap(), descriptor).unwrap();
        },
        never,
    );
}

#[test]
fn a_replacement_of_someone_else_or_of_one_of_them_makes_nobody_busy() {
    within(120, || {
        replaces(&started(loose::set()), &[loose::Aside::DESCRIPTOR]);
        replaces(&started(loose::set()), &loose::ALL);
    });
}

#[test]
fn a_replacement_of_those_who_need_each_other_makes_nobody_busy() {
    within(200, || replaces(&started(bound::set()), &bound::ALL));
}

fn stops(runtime: &Runtime, names: &[&str], forgives: impl Fn(&IpcError) -> bool + Sync) {
    let stop_and_start = |round: u64| {
        let id = runtime.module_id(names[round as usize % names.len()]).unwrap();
        runtime.stop_module(id).unwrap();
        runtime.start_module(id).unwrap();
    };
    contend(runtime, stop_and_start, forgives);
}

#[test]
fn a_stop_and_a_start_make_nobody_busy() {
    /// That a module is stopped is the only thing that may go wrong, however deep in the path.
    fn is_stopped(error: &IpcError) -> bool {
        match error {
            IpcError::NotRunning { state, .. } => matches!(state, ModuleState::Stopped | ModuleState::Running),
            IpcError::Failed { error, .. } => matches!(&**error, ModuleError::Ipc(inner) if is_stopped(inner)),
            _ => false,
        }
    }
    within(200, || {
        stops(&started(loose::set()), &["aside"], never);
        stops(&started(loose::set()), &["m3", "m7", "m0"], is_stopped);
        stops(&started(bound::set()), &["m0"], is_stopped);
    });
}
