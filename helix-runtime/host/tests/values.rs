//! JSON at the edges: what is encoded by a schema is what the type itself would be, and the first wrong field is named.
#![allow(missing_docs)]

use std::collections::BTreeMap;

use helix_host::value::{arguments, decode, encode};
use helix_runtime::prelude::*;
use helix_runtime::{Args, Message};
use proptest::prelude::*;
use serde_json::{Value, json};

#[helix_message]
#[derive(Debug, Clone, PartialEq)]
pub enum Figure {
    Point,
    Circle(f32),
    Line(i8, i64),
    Rectangle { width: u32, height: Option<i16> },
}

#[helix_message]
#[derive(Debug, Clone, PartialEq)]
pub struct Marker;

#[helix_message]
#[derive(Debug, Clone, PartialEq)]
pub struct Wrapped(u16);

#[helix_message]
#[derive(Debug, Clone, PartialEq)]
pub struct Everything {
    flag: bool,
    small: u8,
    number: u64,
    signed: i32,
    real: f64,
    text: String,
    letter: char,
    figures: Vec<Figure>,
    names: BTreeMap<String, u16>,
    numbers: BTreeMap<u32, bool>,
    letters: BTreeMap<char, Wrapped>,
    huge: (u128, i128),
    result: Result<u8, String>,
    pair: (i32, [u8; 3]),
    nothing: (),
    marker: Marker,
    wrapped: Wrapped,
    maybe: Option<Wrapped>,
}

fn figures() -> impl Strategy<Value = Figure> {
    prop_oneof![
        Just(Figure::Point),
        // One that is the same in text.
        (-1000..1000_i16).prop_map(|half| Figure::Circle(f32::from(half) / 2.0)),
        (any::<i8>(), any::<i64>()).prop_map(|(from, to)| Figure::Line(from, to)),
        (any::<u32>(), any::<Option<i16>>()).prop_map(|(width, height)| Figure::Rectangle { width, height }),
    ]
}

prop_compose! {
    fn everything()(
        flag: bool, small: u8, number: u64, signed: i32, real in -1e9..1e9, text: String, letter: char,
        figures in prop::collection::vec(figures(), 0..4),
        names: BTreeMap<String, u16>, numbers: BTreeMap<u32, bool>, letters: BTreeMap<char, u16>, huge: (u64, i64),
        result in prop_oneof![any::<u8>().prop_map(Ok), any::<String>().prop_map(Err)],
        pair: (i32, [u8; 3]), wrapped: u16, maybe: Option<u16>,
    ) -> Everything {
        Everything {
            flag, small, number, signed, real, text, letter, figures, names, numbers,
            letters: letters.into_iter().map(|(letter, number)| (letter, Wrapped(number))).collect(),
            huge: (huge.0.into(), huge.1.into()), result, pair,
            nothing: (), marker: Marker, wrapped: Wrapped(wrapped), maybe: maybe.map(Wrapped),
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_value_is_the_same_whoever_writes_it(value in everything()) {
        let shape = <Everything as Message>::SHAPE;
        let bytes = postcard::to_allocvec(&value).unwrap();
        let json = serde_json::to_value(&value).unwrap();
        prop_assert_eq!(decode(shape, &bytes).unwrap(), json.clone());
        let encoded = encode(shape, &json).unwrap();
        // A map has no order of its own in JSON but that of its keys' text.
        let back: Everything = postcard::from_bytes(&encoded).unwrap();
        prop_assert_eq!(back, value);
    }

    #[test]
    fn any_bytes_are_decoded_or_refused(bytes: Vec<u8>) {
        let shape = <Everything as Message>::SHAPE;
        if let Ok(value) = decode(shape, &bytes) {
            let again: Everything = postcard::from_bytes(&bytes).unwrap();
            prop_assert_eq!(serde_json::to_value(again).unwrap(), value);
        }
    }
}

#[test]
fn the_first_wrong_field_is_named_with_what_was_found_and_expected() {
    let shape = <Figure as Message>::SHAPE;
    let says = |value: Value, text: &str| assert_eq!(encode(shape, &value).unwrap_err().to_string(), text);
    let kinds = "Figure<Point|Circle(f32)|Line(i8,i64)|Rectangle{width:u32,height:?i16}>";
    says(json!("Square"), &format!("value: found \"Square\", expected {kinds}"));
    says(json!(3), &format!("value: found 3, expected {kinds}"));
    says(json!({ "Circle": "round" }), "Circle: found \"round\", expected a number of 32 bits");
    says(json!({ "Line": [1] }), &format!("Line: found a list of 1, expected {kinds}"));
    says(json!({ "Line": [200, 0] }), "Line.0: found 200, expected i8: a whole number of 8 bits");
    says(
        json!({ "Rectangle": { "width": -1 } }),
        "Rectangle.width: found -1, expected u32: a whole number from 0 to 4294967295",
    );
    says(json!({ "Rectangle": { "height": 1 } }), "Rectangle.width: found nothing, expected u32");
    says(
        json!({ "Rectangle": { "width": 1, "depth": 1 } }),
        &format!("Rectangle.depth: found a field of that name, expected {kinds}"),
    );
    let shape = <(BTreeMap<u32, bool>, f32, u128, f64) as Message>::SHAPE;
    let says = |value: Value, text: &str| assert_eq!(encode(shape, &value).unwrap_err().to_string(), text);
    says(json!([{ "abc": true }, 0, 0, 0]), "0.abc: found \"abc\", expected u32: a whole number from 0 to 4294967295");
    says(json!([{}, 1e300, 0, 0]), "1: found 1e+300, expected a number of 32 bits");
    says(
        json!([{}, 0, "many", 0]),
        "2: found \"many\", expected u128: a whole number of 128 bits, as text if it is large",
    );
    // What is shown as text can be given back.
    let large = (BTreeMap::from([(7_u32, true)]), f32::INFINITY, u128::MAX, f64::NEG_INFINITY);
    let shown = decode(shape, &postcard::to_allocvec(&large).unwrap()).unwrap();
    assert_eq!(shown, json!([{ "7": true }, "inf", u128::MAX.to_string(), "-inf"]));
    assert_eq!(encode(shape, &shown).unwrap(), postcard::to_allocvec(&large).unwrap());
    let shape = <Figure as Message>::SHAPE;
    // What is optional may be left out.
    assert!(encode(shape, &json!({ "Rectangle": { "width": 1 } })).is_ok());
}

#[test]
fn arguments_are_given_by_their_names_or_in_their_order() {
    let shape = <(u8, Option<u8>, String) as Args>::SHAPE;
    let params = ["small", "maybe", "text"];
    let of = |given: Value| arguments(shape, &params, &given).map_err(|fault| fault.to_string());
    assert_eq!(of(json!({ "small": 1, "text": "x" })), Ok(json!([1, null, "x"])));
    assert_eq!(of(json!([1, 2, "x"])), Ok(json!([1, 2, "x"])));
    assert_eq!(
        of(json!({ "smal": 1 })).unwrap_err(),
        "smal: found an argument of that name, expected small: u8, maybe: ?u8, text: str"
    );
    assert_eq!(of(json!({ "small": 1 })).unwrap_err(), "text: found nothing, expected str");
    assert_eq!(of(json!(1)).unwrap_err(), "value: found 1, expected (small: u8, maybe: ?u8, text: str)");
}
