//! Whoever may use what is deprecated may send it: nothing emitted warns of it again.
#![deny(warnings)]
#![allow(missing_docs)]

use helix_runtime::prelude::*;

mod old {
    use helix_runtime::prelude::*;

    #[deprecated]
    #[helix_message]
    pub struct Old(pub u8);
}

#[allow(deprecated)]
use old::Old;

#[helix_message]
#[allow(deprecated)]
pub struct New {
    pub old: Vec<Old>,
}

#[allow(deprecated)]
#[helix_service("new")]
pub trait Renew {
    fn renew(&self, old: Old) -> New;
}

#[test]
#[allow(deprecated)]
fn it_travels() {
    fn name<T: helix_runtime::Message>() -> &'static str {
        T::SCHEMA.name
    }
    assert_eq!((name::<Old>(), name::<New>()), ("Old", "New"));
    let _ = (Old(1).0, New { old: Vec::new() }.old);
}
