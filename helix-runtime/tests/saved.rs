//! What modules leave behind when they stop.
#![allow(missing_docs)]

use std::sync::{Arc, Mutex};

use helix_runtime::prelude::*;
use helix_runtime::{ConfigMap, ModuleState, Runtime, SavedState, modules};

/// Counts how far it came: a shutdown is 10, a call 1, a stop 100.
#[helix_module(name = "counter")]
#[derive(Default)]
pub struct Counter {
    count: u64,
    #[config]
    fail: String,
}

#[helix_handlers]
impl Counter {
    #[on_request]
    fn add(&mut self) {
        self.count += 1;
    }

    #[on_event(Shutdown)]
    fn shutdown(&mut self) {
        self.count += 10;
    }

    #[on_stop]
    fn stop(&mut self) {
        self.count += 100;
    }

    #[on_save(version = 1)]
    fn save(&self) -> Result<u64, ModuleError> {
        match self.fail.as_str() {
            "error" => Err("told to fail".into()),
            "panic" => panic!("told to panic"),
            _ => Ok(self.count),
        }
    }

    #[on_restore(version = 1)]
    fn restore(&mut self, count: u64) {
        self.count = count;
    }
}

/// Saves nothing.
#[helix_module(name = "forgetful")]
#[derive(Default)]
pub struct Forgetful;

#[helix_handlers]
impl Forgetful {}

type Left = Arc<Mutex<Vec<SavedState>>>;

fn start(fail: &str) -> (Runtime, Left) {
    let left = Left::default();
    let given = left.clone();
    let config: ConfigMap = [("counter.fail", fail)].into_iter().collect();
    let builder = Runtime::builder().config(config).modules(modules![Counter, Forgetful]);
    let runtime = builder.on_saved(move |state| given.lock().unwrap().push(state)).build().unwrap();
    runtime.start().unwrap();
    (runtime, left)
}

#[test]
fn a_module_that_stops_leaves_what_the_last_call_has_made_of_it() {
    let (runtime, left) = start("");
    let id = runtime.module_id("counter").unwrap();
    runtime.call::<(), ()>("counter.add", ()).unwrap();
    runtime.stop_module(id).unwrap();
    runtime.start_module(id).unwrap();
    runtime.call::<(), ()>("counter.add", ()).unwrap();
    runtime.stop().unwrap();
    let left = std::mem::take(&mut *left.lock().unwrap());
    let modules: Vec<_> = left.iter().map(|state| state.module.as_str()).collect();
    assert_eq!(modules, ["counter", "counter"]);
    let counts: Vec<u64> = left.iter().map(|state| postcard::from_bytes(&state.bytes).unwrap()).collect();
    assert_eq!(counts, [1, 112], "neither is the stop in it");
}

#[test]
fn a_state_that_cannot_be_given_keeps_nobody_from_stopping() {
    for (fail, ends, state) in [
        ("error", Ok(()), ModuleState::Stopped),
        ("panic", Err("module `counter`, on_save: module `counter` panicked: told to panic"), ModuleState::Failed),
    ] {
        let (runtime, left) = start(fail);
        assert_eq!(runtime.stop().map_err(|error| error.to_string()), ends.map_err(str::to_owned));
        let states: Vec<_> = runtime.modules().iter().map(|module| module.state).collect();
        assert_eq!(states, [state, ModuleState::Stopped]);
        assert!(left.lock().unwrap().is_empty());
    }
}
