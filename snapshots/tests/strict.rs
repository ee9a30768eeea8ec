//! A crate that lets no warning pass may use every attribute: nothing emitted is ever to blame.
#![forbid(unsafe_code)]
#![deny(
    warnings,
    missing_docs,
    missing_debug_implementations,
    rust_2018_idioms,
    future_incompatible,
    nonstandard_style,
    unexpected_cfgs,
    unreachable_pub,
    unused,
    unused_qualifications,
    unused_lifetimes,
    unused_results,
    single_use_lifetimes,
    elided_lifetimes_in_paths,
    explicit_outlives_requirements,
    let_underscore_drop,
    trivial_casts,
    trivial_numeric_casts,
    variant_size_differences,
    absolute_paths_not_starting_with_crate
)]
#![deny(clippy::all, clippy::pedantic, clippy::nursery, clippy::cargo)]
#![deny(
    clippy::undocumented_unsafe_blocks,
    clippy::missing_docs_in_private_items,
    clippy::missing_trait_methods,
    clippy::shadow_unrelated,
    clippy::min_ident_chars,
    clippy::pattern_type_mismatch,
    clippy::impl_trait_in_params,
    clippy::same_name_method,
    clippy::arbitrary_source_item_ordering,
    clippy::pub_with_shorthand,
    clippy::unwrap_used,
    clippy::panic,
    clippy::missing_inline_in_public_items,
    clippy::exhaustive_structs,
    clippy::default_numeric_fallback
)]
// What this file itself does.
#![allow(
    clippy::cargo,
    clippy::single_call_fn,
    clippy::arbitrary_source_item_ordering,
    clippy::exhaustive_structs,
    clippy::missing_inline_in_public_items,
    clippy::missing_const_for_fn,
    clippy::missing_errors_doc
)]

use helix_runtime::prelude::*;
use helix_runtime::{Runtime, modules};

/// What only this crate knows.
#[helix_message]
#[derive(Debug, Clone, PartialEq, Eq)]
struct Hidden(u8);

/// Holds what only this crate knows.
#[helix_message]
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Holder {
    hidden: Hidden,
    /// Several of them.
    list: Vec<Hidden>,
}

/// Somebody knocks.
#[helix_message]
#[derive(Debug, Clone, PartialEq, Eq, EventType)]
#[event(topic = "house", name = "house.knock")]
pub struct Knock {
    /// How often.
    pub times: u8,
}

/// What is answered.
#[helix_message]
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// Come in.
    Yes,
    /// Not now.
    No(String, u8),
    /// Later.
    Later {
        /// When.
        at: Option<u64>,
    },
}

/// A page of something.
#[helix_message]
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page<T>(pub Vec<T>);

/// What opens.
#[helix_service("door")]
pub trait Door {
    /// Opens.
    fn open(&mut self, name: &str, key: &[u8]) -> Result<Answer, Answer>;
    /// Tells.
    fn is_open(&self) -> bool;
    /// Refuses.
    fn refuse(&self, ctx: &Context) -> ModuleResult<u8>;
}

/// A door.
#[helix_module(
    name = "house/door",
    provides = [Door, "house.door"],
    dependencies("bell" = { version = "^0.1", features = ["loud"], optional = true }),
    flags = HOT_RELOADABLE | DRIVER,
    permissions = ["open"],
    features = ["wood"],
    kind = app,
)]
#[derive(Debug, Default)]
pub struct FrontDoor {
    /// What it is called.
    #[config(default = "front")]
    name: String,
    /// How many knocks it takes.
    #[config]
    limit: Option<u8>,
    /// How many there were.
    #[config(default = 3)]
    knocks: u8,
}

#[helix_handlers]
impl FrontDoor {
    /// Begins.
    #[on_init]
    fn init(&mut self, ctx: &Context) -> Result<(), ModuleError> {
        ctx.name().clone_into(&mut self.name);
        if self.name.is_empty() { Err("a door has a name".into()) } else { Ok(()) }
    }
    /// Tells.
    #[on_health]
    fn healthy(&self) -> bool {
        self.limit.is_none()
    }
    /// Counts.
    #[on_event(Knock, priority = HIGH)]
    #[on_event("rain")]
    fn knock(&mut self) {
        self.knocks = self.knocks.saturating_add(1);
    }
    /// Counts too.
    #[on_event("house")]
    fn custom(&mut self, custom: &Custom) -> EventResponse {
        custom.get::<Knock>().map_or(EventResponse::Ignored, |knock| {
            self.knocks = self.knocks.saturating_add(knock.times);
            EventResponse::Handled
        })
    }
    /// Tells.
    #[on_request(permission = "open")]
    fn knocks(&self, least: u8) -> Page<u8> {
        Page(vec![self.knocks.max(least)])
    }
    /// Keeps.
    #[on_save(version = 1)]
    fn save(&self) -> u8 {
        self.knocks
    }
    /// Takes back.
    #[on_restore(version = 1)]
    fn restore(&mut self, knocks: u8) {
        self.knocks = knocks;
    }
}

impl Door for FrontDoor {
    fn open(&mut self, name: &str, key: &[u8]) -> Result<Answer, Answer> {
        if key.is_empty() { Err(Answer::No(name.to_owned(), self.knocks)) } else { Ok(Answer::Later { at: None }) }
    }
    fn is_open(&self) -> bool {
        false
    }
    fn refuse(&self, ctx: &Context) -> ModuleResult<u8> {
        Err(ModuleError::new(format!("{} refuses", ctx.name())))
    }
}

/// A module with parameters.
#[helix_module]
#[derive(Debug)]
pub struct Ring<T, const N: usize>
where
    T: helix_runtime::Message + Copy + Default + Send + Sync,
{
    /// What it holds.
    values: [T; N],
}

impl<T, const N: usize> Default for Ring<T, N>
where
    T: helix_runtime::Message + Copy + Default + Send + Sync,
{
    fn default() -> Self {
        Self { values: [T::default(); N] }
    }
}

#[helix_handlers]
impl<T, const N: usize> Ring<T, N>
where
    T: helix_runtime::Message + Copy + Default + Send + Sync,
{
    /// All of them.
    #[on_request]
    fn all(&self) -> Page<T> {
        Page(self.values.to_vec())
    }
}

#[test]
fn its_modules_run() -> Result<(), Box<dyn core::error::Error>> {
    let runtime = Runtime::builder().modules(modules![FrontDoor, Ring<u8, 3>]).build()?;
    runtime.start()?;
    assert!(runtime.publish(&Knock { times: 2 }).is_clean());
    assert_eq!(runtime.call::<(u8,), Page<u8>>("house/door.knocks", (0,))?, Page(vec![6]));
    let door: DoorClient = runtime.service()?;
    assert!(!door.is_open()?);
    assert_eq!(door.open("me", &[1]), Ok(Answer::Later { at: None }));
    assert_eq!(runtime.call::<(), Page<u8>>("ring.all", ())?, Page(vec![0; 3]));
    runtime.stop()?;
    Ok(())
}
