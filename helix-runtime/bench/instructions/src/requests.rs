//! A request that was found before, a method of a client, and a request by its name among 32.

use std::hint::black_box;
use std::sync::atomic::AtomicU64;

use helix_runtime::prelude::*;
use helix_runtime::{Runtime, modules};

use crate::events::work;

/// Adds up.
#[helix_service("adder")]
pub trait Adder {
    fn add(&self, by: u64) -> u64;
}

/// Provides the contract.
#[helix_module(provides = [Adder])]
#[derive(Default)]
pub struct Sum {
    seen: AtomicU64,
}

#[helix_handlers]
impl Sum {}

impl Adder for Sum {
    fn add(&self, by: u64) -> u64 {
        work(&self.seen, by);
        by + 1
    }
}

macro_rules! answering {
    ($($module:ident)*) => { $(
        #[helix_module]
        #[derive(Default)]
        pub struct $module {
            seen: AtomicU64,
        }
        #[helix_handlers]
        impl $module {
            #[on_request]
            fn add(&self, by: u64) -> u64 {
                work(&self.seen, by);
                by + 1
            }
            #[on_request]
            fn increment(&self, by: u64) -> u64 {
                self.add(by)
            }
            #[on_request]
            fn increase(&self, by: u64) -> u64 {
                self.add(by)
            }
            #[on_request]
            fn sum_up(&self, by: u64) -> u64 {
                self.add(by)
            }
        }
    )* };
}
answering!(Ann Bob Cleo Dora Emil Fred Gustav Hans);

const MODULES: [&str; 8] = ["ann", "bob", "cleo", "dora", "emil", "fred", "gustav", "hans"];
const REQUESTS: [&str; 4] = ["add", "increment", "increase", "sum_up"];

fn started() -> Runtime {
    let set = modules![Ann, Bob, Cleo, Dora, Emil, Fred, Gustav, Hans, Sum];
    let runtime = Runtime::builder().modules(set).build().expect("the modules fit");
    runtime.start().expect("nothing can fail");
    runtime
}

pub fn by_handle(count: usize) {
    let runtime = started();
    let add = runtime.resolve::<(u64,), u64>("cleo.add").expect("it is there");
    for _ in 0..count {
        assert_eq!(black_box(&add).call((black_box(3),)).ok(), Some(4));
    }
}

pub fn by_client(count: usize) {
    let runtime = started();
    let client: AdderClient = runtime.service().expect("it is provided");
    for _ in 0..count {
        assert_eq!(black_box(&client).add(black_box(3)).ok(), Some(4));
    }
}

/// All 32 in turn, so that the figure is their average.
pub fn by_name(count: usize) {
    let runtime = started();
    let names = MODULES.map(|module| REQUESTS.map(|request| format!("{module}.{request}")));
    for name in names.as_flattened().iter().cycle().take(count) {
        assert_eq!(runtime.call::<(u64,), u64>(black_box(name), (black_box(3),)).ok(), Some(4));
    }
}
