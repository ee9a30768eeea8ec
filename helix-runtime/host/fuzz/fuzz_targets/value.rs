//! Any bytes as a value of a schema, and any JSON: decoded and encoded again, or refused with a message.
#![no_main]

use helix_host::value;
use helix_runtime::prelude::*;
use helix_runtime::Message;
use libfuzzer_sys::fuzz_target;

#[helix_message]
pub enum Shape { Point, Circle(f32), Box { width: u32, height: Option<i16> }, Line(i8, i64) }

#[helix_message]
pub struct Everything {
    pub flag: bool,
    pub small: u8,
    pub large: u128,
    pub text: String,
    pub letter: char,
    pub list: Vec<Shape>,
    pub map: std::collections::BTreeMap<u16, Result<(), String>>,
    pub pair: (i32, [u8; 3]),
}

fuzz_target!(|bytes: &[u8]| {
    let shape = <Everything as Message>::SHAPE;
    match value::decode(shape, bytes) {
        Ok(decoded) => drop(value::encode(shape, &decoded)),
        Err(fault) => assert!(!fault.to_string().is_empty()),
    }
    if let Ok(given) = serde_json::from_slice(bytes) {
        if let Ok(encoded) = value::encode(shape, &given) {
            value::decode(shape, &encoded).expect("what was encoded can be decoded");
        }
    }
});
