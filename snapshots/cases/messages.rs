//! Messages of every shape.

use helix_runtime::Message;
use helix_runtime::prelude::*;

#[helix_message]
#[derive(Debug, Clone, PartialEq)]
pub struct Named {
    pub number: u64,
    pub text: Option<String>,
    #[cfg(any())]
    pub gone: NoSuchType,
}

#[helix_message]
pub struct Unit;

#[helix_message]
#[derive(Clone, Copy)]
pub struct Newtype(pub u32);

#[helix_message]
pub struct Tuple(pub u8, pub Newtype);

#[helix_message]
pub struct Hollow(#[cfg(any())] pub NoSuchType);

pub mod elsewhere {
    //! A type of the same name.
    use helix_runtime::prelude::*;

    #[helix_message]
    pub struct Outer {
        pub size: u8,
    }
}

#[helix_message]
pub struct Outer {
    pub inner: Vec<elsewhere::Outer>,
}

#[helix_message]
pub struct Nothing {}

#[helix_message]
pub enum Choice {
    None,
    One(Named),
    Two(u8, i8),
    #[cfg(any())]
    Never(NoSuchType),
    Some {
        list: Vec<Newtype>,
        pair: (bool, char),
        #[cfg(any())]
        gone: NoSuchType,
    },
}

#[test]
fn its_shape_is_its_declaration() {
    let shapes = [
        Named::SHAPE.to_string(),
        Unit::SHAPE.to_string(),
        Newtype::SHAPE.to_string(),
        Tuple::SHAPE.to_string(),
        Hollow::SHAPE.to_string(),
        Outer::SHAPE.to_string(),
        Nothing::SHAPE.to_string(),
        Choice::SHAPE.to_string(),
    ];
    assert_eq!(
        shapes,
        [
            "Named{number:u64,text:?str}",
            "Unit{}",
            "Newtype(u32)",
            "Tuple(u8,Newtype(u32))",
            "Hollow()",
            "Outer{inner:[Outer{size:u8}]}",
            "Nothing{}",
            "Choice<None|One(Named{number:u64,text:?str})|Two(u8,i8)|Some{list:[Newtype(u32)],pair:(bool,char)}>",
        ]
    );
}
