//! Helix modules as libraries in a running process: built, accepted, loaded, and replaced with their state.
//!
//! The [`guide`] says how it is used. A library's file goes one way through this crate, and nothing of it runs before it was accepted:
//!
//! ```text
//! build.rs  ->  library.rs          ->  accept.rs                  ->  load.rs        ->  helix_runtime::Runtime
//! cargo         the file: complete,     its record against this        the one            add_descriptor, replace
//!               its record and build    program: every refusal         unsafe load
//!                                                                      process.rs
//!                                                                      or a process that loads it
//! ```
//!
//! [`processes`] says what a process of its own is to a module.

mod accept;
mod build;
mod config;
pub mod control;
mod directory;
mod host;
mod library;
mod load;
mod manifest;
mod process;
mod socket;
mod trust;
pub mod value;
mod watch;

pub use accept::{Refusal, accept};
pub use build::{BuildFailure, Built, Cancel, Cargo, ModuleCrate};
pub use config::{ConfigFault, Configuration, Upkeep};
pub use directory::{Checked, Directory, Found, read_records};
pub use host::*;
pub use library::{BuildId, FileFault, Library, seal};
pub use load::{LoadFault, Loaded, Loader};
pub use manifest::{Limits, Manifest, ManifestFault, ManifestLine};
#[doc(hidden)]
pub use process::link_fuzz;
pub use process::{Denial, Isolation, LinkView, PermitView, Placing, Placings, ProcessView, Sandbox, VERB, serve};
pub use trust::{Policy, PublicKey, Trust, TrustFault, keygen, sign};
pub use watch::{Told, Watch};

#[doc = include_str!("../../docs/reload.md")]
pub mod guide {}

#[doc = include_str!("../../docs/process.md")]
pub mod processes {}
