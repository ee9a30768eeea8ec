//! A module crate that knows the runtime as `kernel`, with every attribute.
#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;

use alloc::string::String;

pub use kernel;
use kernel::prelude::*;

/// What is told.
#[helix_message(crate = kernel)]
#[derive(Debug, Clone, PartialEq, EventType)]
#[event(name = "renamed.told", crate = kernel)]
pub struct Told {
    /// The words.
    pub words: String,
}

/// A contract whose name is not unique among crates.
#[helix_service("renamed.clock", crate = kernel)]
pub trait Clock {
    /// What was told last.
    fn now(&self) -> Result<Told, Told>;
}

/// Remembers what it is told.
#[helix_module(name = "renamed", provides = [Clock], crate = kernel)]
#[derive(Default)]
pub struct Renamed {
    #[config(default = "nothing")]
    words: String,
}

#[helix_handlers(crate = kernel)]
impl Renamed {
    #[on_event(Told)]
    fn told(&mut self, told: &Told) {
        self.words.clone_from(&told.words);
    }
    #[on_request]
    fn length(&self, of: &str) -> u64 {
        (self.words.len() + of.len()) as u64
    }
}

impl Clock for Renamed {
    fn now(&self) -> Result<Told, Told> {
        Ok(Told { words: self.words.clone() })
    }
}

/// Makes a module wherever it is called, with this crate's runtime.
#[macro_export]
macro_rules! echo {
    ($name:ident) => {
        /// A reply.
        // The path of a message's runtime reaches serde as text, in which `$crate` means nothing.
        #[$crate::kernel::helix_message(crate = ::snapshots_renamed::kernel)]
        #[derive(Clone, $crate::kernel::EventType)]
        #[event(name = "echo.reply", crate = $crate::kernel)]
        pub struct Reply {
            /// What was said.
            pub text: $crate::Text,
        }

        /// A contract.
        #[$crate::kernel::helix_service("echo.contract", crate = $crate::kernel)]
        pub trait Echoes {
            /// Says it again.
            fn again(&self, text: &str) -> Reply;
        }

        /// A module.
        #[$crate::kernel::helix_module(provides = [Echoes], crate = $crate::kernel)]
        #[derive(Default)]
        pub struct $name {
            #[config(default = 2)]
            times: u32,
        }

        #[$crate::kernel::helix_handlers(crate = $crate::kernel)]
        impl $name {
            #[$crate::kernel::prelude::on_event(Reply)]
            fn reply(&mut self, reply: &Reply) {
                self.times += reply.text.len() as u32;
            }
        }

        impl Echoes for $name {
            fn again(&self, text: &str) -> Reply {
                Reply { text: text.repeat(self.times as usize) }
            }
        }
    };
}

/// What `echo!` replies with.
pub use alloc::string::String as Text;

#[test]
fn a_module_of_the_renamed_runtime_runs() {
    let runtime = kernel::Runtime::builder().modules(kernel::modules![Renamed]).build().unwrap();
    runtime.start().unwrap();
    let told = Told { words: "noon".into() };
    assert!(runtime.publish(&told).is_clean());
    assert_eq!(runtime.service::<ClockClient>().unwrap().now(), Ok(told));
    assert_eq!(runtime.call::<(&str,), u64>("renamed.length", ("abc",)).unwrap(), 7);
}
