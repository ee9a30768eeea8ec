//! The modules whose requests are called by name: eight requests each, under as many names as are wanted.

use std::sync::atomic::{AtomicU64, Ordering};

use helix_runtime::Module;
use helix_runtime::prelude::*;

use crate::work::{Tally, answer, tell};

macro_rules! desk {
    ($($verb:ident $salt:literal,)*) => {
        /// Answers eight requests, each a little differently, so that they are not one function to the compiler.
        #[helix_module(name = "desk")]
        #[derive(Default)]
        pub struct Desk {
            calls: AtomicU64,
        }

        #[helix_handlers]
        impl Desk {
            $(
                /// One of the eight.
                #[on_request]
                pub fn $verb(&self, number: u64) -> u64 {
                    answer(&self.calls, number ^ $salt)
                }
            )*
            #[on_event(Tally)]
            fn tally(&self) {
                tell(&self.calls);
            }
        }
    };
}

desk! { get 1, put 2, list 3, drop 4, open 5, close 6, stat 7, sync 8, }

/// Answers one request.
#[helix_module(name = "storage")]
#[derive(Default)]
pub struct Lone {
    desk: Desk,
}

#[helix_handlers]
impl Lone {
    #[on_request]
    fn get(&self, number: u64) -> u64 {
        self.desk.get(number)
    }
    #[on_event(Tally)]
    fn tally(&self) {
        tell(&self.desk.calls);
    }
}

impl Desk {
    /// How many calls it has counted.
    pub fn calls(&self) -> u64 {
        self.calls.load(Ordering::Relaxed)
    }
}

/// The module with the one request.
pub fn lone() -> &'static helix_runtime::Descriptor {
    Lone::DESCRIPTOR
}
