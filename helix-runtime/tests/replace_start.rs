//! What starts again with a module that is replaced may call that module while it starts.
#![allow(missing_docs)]

use helix_runtime::prelude::*;
use helix_runtime::{Module, Runtime, modules};

macro_rules! store {
    ($version:literal) => {
        /// Has a number.
        #[helix_module(name = "store", flags = HOT_RELOADABLE)]
        #[derive(Default)]
        pub struct Store {
            number: u64,
        }

        #[helix_handlers]
        impl Store {
            #[on_request]
            fn take(&mut self) -> (u64, u64) {
                self.number += 1;
                ($version, self.number)
            }
            #[on_save(version = 1)]
            fn save(&self) -> u64 {
                self.number
            }
            #[on_restore(version = 1)]
            fn restore(&mut self, number: u64) {
                self.number = number;
            }
        }
    };
}

mod first {
    use super::*;
    store!(1);
}

mod second {
    use super::*;
    store!(2);
}

/// Takes a number when it starts, and is made anew.
#[helix_module(name = "renewed", dependencies = ["store"], flags = HOT_RELOADABLE, stateless)]
#[derive(Default)]
pub struct Renewed {
    taken: (u64, u64),
}

#[helix_handlers]
impl Renewed {
    #[on_start]
    fn start(&mut self, ctx: &Context) -> Result<(), ModuleError> {
        self.taken = ctx.call::<(), (u64, u64)>("store.take", ())?;
        match ctx.request("guard", Request::new("may_i")) {
            Ok(Response::Rejected(why)) => Err(why.into()),
            _ => Ok(()),
        }
    }
    #[on_request]
    fn taken(&self) -> (u64, u64) {
        self.taken
    }
}

/// The same, and keeps its instance.
#[helix_module(name = "kept", dependencies = ["store"])]
#[derive(Default)]
pub struct Kept {
    taken: Vec<(u64, u64)>,
}

#[helix_handlers]
impl Kept {
    #[on_start]
    fn start(&mut self, ctx: &Context) -> Result<(), ModuleError> {
        self.taken.push(ctx.call::<(), (u64, u64)>("store.take", ())?);
        Ok(())
    }
    #[on_request]
    fn taken(&self) -> Vec<(u64, u64)> {
        self.taken.clone()
    }
}

#[test]
fn a_dependent_that_starts_again_calls_the_new_one() {
    let runtime = Runtime::builder().modules(modules![first::Store, Renewed, Kept]).build().unwrap();
    runtime.start().unwrap();
    assert_eq!(runtime.call::<(), (u64, u64)>("renewed.taken", ()).unwrap(), (1, 1));
    runtime.replace(runtime.module_id("store").unwrap(), second::Store::DESCRIPTOR).unwrap();
    assert_eq!(runtime.call::<(), (u64, u64)>("renewed.taken", ()).unwrap(), (2, 3));
    assert_eq!(runtime.call::<(), Vec<(u64, u64)>>("kept.taken", ()).unwrap(), [(1, 2), (2, 4)]);
    assert_eq!(runtime.call::<(), (u64, u64)>("store.take", ()).unwrap(), (2, 5));
}

#[test]
fn if_one_fails_to_start_the_old_ones_have_what_they_had() {
    let runtime = Runtime::builder().modules(modules![first::Store, Renewed, Kept]).build().unwrap();
    runtime.start().unwrap();
    runtime.router().register(7, "guard", Box::new(|_| Response::rejected("not today"))).unwrap();
    let error = runtime.replace(runtime.module_id("store").unwrap(), second::Store::DESCRIPTOR).unwrap_err();
    assert!(error.to_string().contains("not today"), "{error}");
    // What was asked of the new one is gone with it; the old one is where it was when it stopped.
    assert_eq!(runtime.call::<(), (u64, u64)>("store.take", ()).unwrap().0, 1);
}
