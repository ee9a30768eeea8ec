//! A module that is not made by `Default`.

use helix_runtime::prelude::*;
use helix_runtime::{Runtime, modules};

#[helix_module(new = Self::with_answer)]
pub struct Made {
    answer: u8,
}

impl Made {
    fn with_answer() -> Self {
        Self { answer: 42 }
    }
}

#[helix_handlers]
impl Made {
    #[on_request]
    fn answer(&self) -> u8 {
        self.answer
    }
}

#[test]
fn it_is_made_by_its_own_function() {
    let runtime = Runtime::builder().modules(modules![Made]).build().unwrap();
    runtime.start().unwrap();
    assert_eq!(runtime.call::<(), u8>("made.answer", ()).unwrap(), 42);
}
