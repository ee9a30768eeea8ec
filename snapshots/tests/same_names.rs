//! Contracts of the same name in different crates.
#![forbid(unsafe_code)]
#![allow(missing_docs)]

use helix_runtime::prelude::*;
use helix_runtime::{Runtime, modules};

#[helix_service("clock")]
pub trait Clock {
    fn now(&self) -> u64;
}

#[helix_module(provides = [Clock])]
#[derive(Default)]
pub struct Both;

#[helix_handlers]
impl Both {
    #[on_request("when")]
    fn answer(&self) -> u8 {
        1
    }
}

impl Clock for Both {
    fn now(&self) -> u64 {
        42
    }
}

/// The other contract has a request of the same name, so it is provided by another module.
#[helix_module(provides = [snapshots_renamed::Clock])]
#[derive(Default)]
pub struct Other;

#[helix_handlers]
impl Other {}

impl snapshots_renamed::Clock for Other {
    fn now(&self) -> Result<snapshots_renamed::Told, snapshots_renamed::Told> {
        Ok(snapshots_renamed::Told { words: "noon".to_owned() })
    }
}

#[test]
fn each_is_called_through_its_own_client() {
    let runtime = Runtime::builder().modules(modules![Both, Other]).build().unwrap();
    runtime.start().unwrap();
    assert_eq!(runtime.service::<ClockClient>().unwrap().now().unwrap(), 42);
    let told = runtime.service::<snapshots_renamed::ClockClient>().unwrap().now().unwrap();
    assert_eq!(told.words, "noon");
}

#[test]
fn modules_of_both_crates_run_together() {
    let runtime = Runtime::builder().modules(modules![Both, snapshots_renamed::Renamed]).build().unwrap();
    runtime.start().unwrap();
    assert_eq!(runtime.call::<(&str,), u64>("renamed.length", ("",)).unwrap(), 7);
}

mod made_elsewhere {
    snapshots_renamed::echo!(Echo);
}

#[test]
fn a_macro_of_another_crate_brings_its_own_runtime() {
    use made_elsewhere::{Echo, EchoesClient, Reply};
    let runtime = Runtime::builder().modules(modules![Echo]).build().unwrap();
    runtime.start().unwrap();
    assert!(runtime.publish(&Reply { text: "a".to_owned() }).is_clean());
    assert_eq!(runtime.service::<EchoesClient>().unwrap().again("ab").unwrap().text, "ababab");
}
