//! Lists of modules: complete, and one to which others may come.

use helix_runtime::prelude::*;
use helix_runtime::{ModuleSet, Runtime, modules};

pub mod drivers {
    //! A module elsewhere.
    use helix_runtime::prelude::*;

    #[helix_module]
    #[derive(Default)]
    pub struct Timer<const HZ: u32>;

    #[helix_handlers]
    impl<const HZ: u32> Timer<HZ> {}
}

#[helix_module(dependencies = ["timer"])]
#[derive(Default)]
pub struct Clock;

#[helix_handlers]
impl Clock {}

pub fn complete() -> ModuleSet {
    modules![Clock, drivers::Timer<1000>]
}

pub fn open() -> ModuleSet {
    modules![Clock, ..]
}

pub fn empty() -> ModuleSet {
    modules![]
}

#[test]
fn a_set_is_what_it_lists() {
    assert_eq!((complete().descriptors().len(), open().descriptors().len()), (2, 1));
    assert!(empty().descriptors().is_empty());
    Runtime::builder().modules(complete()).build().unwrap().start().unwrap();
    assert!(Runtime::builder().modules(open()).build().unwrap().start().is_err());
}
