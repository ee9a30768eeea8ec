//! Modules that need each other on several threads: they wait in turn, and a circle is an error, never a hang.
#![allow(missing_docs)]

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc;
use std::time::Duration;

use helix_runtime::prelude::*;
use helix_runtime::{Runtime, modules};

const ROUNDS: u64 = if cfg!(miri) { 8 } else { 3000 };

/// Fails the test instead of hanging it.
fn within_deadline(run: impl FnOnce() + Send + 'static) {
    let (done, finished) = mpsc::channel::<()>();
    let thread = std::thread::spawn(move || {
        run();
        drop(done);
    });
    let timeout = finished.recv_timeout(Duration::from_secs(120));
    assert_ne!(timeout, Err(mpsc::RecvTimeoutError::Timeout), "it hangs");
    thread.join().unwrap();
}

macro_rules! relays {
    ($($ident:ident $name:literal)*) => { $(
        #[helix_module(name = $name)]
        #[derive(Default)]
        pub struct $ident {
            calls: u64,
        }
        #[helix_handlers]
        impl $ident {
            /// Calls the first of a path of modules, which calls the next.
            #[on_request]
            fn pass(&mut self, path: Vec<String>, ctx: &Context) -> Result<u64, ModuleError> {
                self.calls += 1;
                match path.split_first() {
                    None => Ok(0),
                    Some((next, rest)) => {
                        let request = format!("{next}.pass");
                        Ok(1 + ctx.call::<(Vec<String>,), u64>(&request, (rest.to_vec(),))?)
                    }
                }
            }
            #[on_request]
            fn calls(&self) -> u64 {
                self.calls
            }
            #[on_event(Tick)]
            fn tick(&mut self) {
                self.calls += 1;
            }
            #[on_event(Shutdown)]
            fn relay(&mut self, ctx: &Context) {
                assert_eq!(ctx.publish(&Event::from(Custom::new("relayed", []))).missed(), 0);
            }
        }
    )* };
}
relays! { A "a" B "b" C "c" }

/// Hears what the relays publish.
#[helix_module]
#[derive(Default)]
pub struct Sink {
    heard: u64,
}

#[helix_handlers]
impl Sink {
    #[on_event("relayed")]
    fn relayed(&mut self) {
        self.heard += 1;
    }
    #[on_request]
    fn heard(&self) -> u64 {
        self.heard
    }
}

fn started() -> Runtime {
    let runtime = Runtime::builder().modules(modules![A, B, C, Sink]).build().unwrap();
    runtime.start().unwrap();
    runtime
}

fn pass(runtime: &Runtime, path: &[&str]) -> Result<u64, IpcError> {
    let rest = path[1..].iter().map(|name| name.to_string()).collect();
    runtime.call::<(Vec<String>,), u64>(&format!("{}.pass", path[0]), (rest,))
}

#[test]
fn plain_contention_is_no_error_even_for_those_who_hold_a_module() {
    within_deadline(|| {
        let runtime = started();
        std::thread::scope(|scope| {
            for first in ["a", "b"] {
                let runtime = &runtime;
                scope.spawn(move || {
                    for _ in 0..ROUNDS {
                        assert_eq!(pass(runtime, &[first, "c"]), Ok(1));
                    }
                });
            }
        });
        assert_eq!(runtime.call::<(), u64>("c.calls", ()), Ok(2 * ROUNDS));
    });
}

#[test]
fn no_event_is_lost_to_a_module_that_another_thread_is_in() {
    within_deadline(|| {
        let runtime = started();
        std::thread::scope(|scope| {
            for _ in 0..3 {
                scope.spawn(|| {
                    for _ in 0..ROUNDS / 4 {
                        assert!(runtime.publish(&Shutdown).is_clean());
                    }
                });
            }
        });
        assert_eq!(runtime.call::<(), u64>("sink.heard", ()), Ok(3 * 3 * (ROUNDS / 4)));
    });
}

#[test]
fn modules_that_wait_for_each_other_get_an_error_and_not_a_deadlock() {
    within_deadline(|| {
        let runtime = started();
        let (fine, circles) = (AtomicU64::new(0), AtomicU64::new(0));
        let paths = [["a", "b", "c"], ["b", "c", "a"], ["c", "a", "b"], ["c", "b", "a"]];
        std::thread::scope(|scope| {
            for path in &paths {
                let (runtime, fine, circles) = (&runtime, &fine, &circles);
                scope.spawn(move || {
                    for _ in 0..ROUNDS {
                        match pass(runtime, path) {
                            Ok(calls) => {
                                assert_eq!(calls, 2);
                                fine.fetch_add(1, Ordering::Relaxed);
                            }
                            Err(error) => {
                                assert!(error.to_string().contains("module is busy: "), "{error}");
                                circles.fetch_add(1, Ordering::Relaxed);
                            }
                        }
                    }
                });
            }
        });
        assert_eq!(fine.into_inner() + circles.into_inner(), 4 * ROUNDS);
        assert!(paths.iter().all(|path| pass(&runtime, path) == Ok(2)), "nothing is held any more");
    });
}
