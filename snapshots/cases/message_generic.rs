//! A message with parameters.

use std::collections::BTreeMap;

use helix_runtime::Message;
use helix_runtime::prelude::*;

#[helix_message]
#[derive(Debug, PartialEq)]
pub struct Page<K, V = u8>
where
    K: Ord,
{
    pub entries: BTreeMap<K, V>,
    pub next: Option<K>,
}

#[helix_message]
pub enum Either<A: Clone, B> {
    A(A),
    B { b: B },
}

#[test]
fn its_shape_holds_those_of_its_parameters() {
    assert_eq!(Page::<u8, String>::SHAPE.to_string(), "Page{entries:{u8:str},next:?u8}");
    assert_ne!(Page::<u8, u16>::SHAPE.to_string(), Page::<u8>::SHAPE.to_string());
    assert_eq!(Either::<u8, bool>::SHAPE.to_string(), "Either<A(u8)|B{b:bool}>");
}
