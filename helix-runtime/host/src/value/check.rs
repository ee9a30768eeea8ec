//! Whether a value is what its schema says.

use postcard_schema::schema::{DataModelType, DataModelVariant, NamedType, NamedValue};
use serde_json::Value;

use super::{ValueFault, below, key_of, kind, real, text};

/// Whether a value is of a type; the first field that is not is told.
pub(super) fn check(ty: &'static NamedType, value: &Value, at: &str) -> Result<(), ValueFault> {
    let wrong = |expected: &str| Err(ValueFault { at: at.into(), found: kind(value), expected: expected.into() });
    let unsigned = |bits: u32, name: &str| match (value.as_u64(), bits) {
        (Some(_), 64..) => Ok(()),
        (Some(number), bits) if number < 1 << bits => Ok(()),
        _ => {
            wrong(&format!("{name}: a whole number from 0 to {}", if bits >= 64 { u64::MAX } else { (1 << bits) - 1 }))
        }
    };
    let signed = |bits: u32, name: &str| match (value.as_i64(), bits) {
        (Some(_), 64..) => Ok(()),
        (Some(number), bits) if (-(1_i64 << (bits - 1))..1 << (bits - 1)).contains(&number) => Ok(()),
        _ => wrong(&format!("{name}: a whole number of {bits} bits")),
    };
    match ty.ty {
        DataModelType::Bool if value.is_boolean() => Ok(()),
        DataModelType::Bool => wrong("bool: true or false"),
        DataModelType::U8 => unsigned(8, "u8"),
        DataModelType::U16 => unsigned(16, "u16"),
        DataModelType::U32 => unsigned(32, "u32"),
        DataModelType::U64 | DataModelType::Usize => unsigned(64, "u64"),
        // What JSON's numbers have no room for is given, and shown, as text.
        DataModelType::U128 if value.as_u64().is_some() || parses::<u128>(value) => Ok(()),
        DataModelType::U128 => wrong("u128: a whole number of 128 bits, as text if it is large"),
        DataModelType::I8 => signed(8, "i8"),
        DataModelType::I16 => signed(16, "i16"),
        DataModelType::I32 => signed(32, "i32"),
        DataModelType::I64 | DataModelType::Isize => signed(64, "i64"),
        DataModelType::I128 if value.as_i64().is_some() || parses::<i128>(value) => Ok(()),
        DataModelType::I128 => wrong("i128: a whole number of 128 bits, as text if it is large"),
        DataModelType::F32 if value.as_f64().is_some_and(|real| (real as f32).is_finite()) => Ok(()),
        DataModelType::F64 if value.is_number() => Ok(()),
        DataModelType::F32 | DataModelType::F64 if real(value).is_some() && !value.is_number() => Ok(()),
        DataModelType::F32 => wrong("a number of 32 bits"),
        DataModelType::F64 => wrong("a number"),
        DataModelType::Char if value.as_str().is_some_and(|text| text.chars().count() == 1) => Ok(()),
        DataModelType::Char => wrong("char: text of one character"),
        DataModelType::String if value.is_string() => Ok(()),
        DataModelType::String => wrong("str: text"),
        DataModelType::ByteArray => items(value, at, "bytes: a list of numbers", None, |_| &BYTE),
        DataModelType::Option(_) if value.is_null() => Ok(()),
        DataModelType::Option(inner) => check(inner, value, at),
        DataModelType::Unit | DataModelType::UnitStruct if value.is_null() => Ok(()),
        DataModelType::Unit | DataModelType::UnitStruct => wrong("nothing: null"),
        DataModelType::NewtypeStruct(inner) => check(inner, value, at),
        DataModelType::Seq(inner) => items(value, at, &text(ty), None, |_| inner),
        DataModelType::Tuple(types) | DataModelType::TupleStruct(types) => {
            items(value, at, &text(ty), Some(types.len()), |at| types[at])
        }
        DataModelType::Map { key, val } => match value {
            Value::Object(entries) => entries.iter().try_for_each(|(name, value)| {
                let at = below(at, name);
                check(key, &key_of(key, name), &at)?;
                check(val, value, &at)
            }),
            _ => wrong(&text(ty)),
        },
        DataModelType::Struct(types) => fields(types, value, at, &text(ty)),
        DataModelType::Enum(variants) => {
            let (name, inner) = match value {
                Value::String(name) => (name.as_str(), &Value::Null),
                Value::Object(entries) if entries.len() == 1 => {
                    let (name, inner) = entries.iter().next().expect("there is one");
                    (name.as_str(), inner)
                }
                _ => return wrong(&text(ty)),
            };
            let Some(variant) = variants.iter().find(|variant| variant.name == name) else { return wrong(&text(ty)) };
            let at = below(at, name);
            match variant.ty {
                DataModelVariant::UnitVariant if inner.is_null() => Ok(()),
                DataModelVariant::UnitVariant => wrong(&format!("{name:?}")),
                // A schema may say of a variant with one item that it is a tuple of one; serde does not.
                DataModelVariant::NewtypeVariant(ty) | DataModelVariant::TupleVariant([ty]) => check(ty, inner, &at),
                DataModelVariant::TupleVariant(types) => {
                    items(inner, &at, &text(ty), Some(types.len()), |at| types[at])
                }
                DataModelVariant::StructVariant(types) => fields(types, inner, &at, &text(ty)),
            }
        }
        DataModelType::Schema => wrong("no value: schemas are not given by hand"),
    }
}

/// Whether text is a number that JSON has no room for.
fn parses<T: std::str::FromStr>(value: &Value) -> bool {
    value.as_str().is_some_and(|text| text.parse::<T>().is_ok())
}

static BYTE: NamedType = NamedType { name: "u8", ty: &DataModelType::U8 };

fn items(
    value: &Value,
    at: &str,
    expected: &str,
    length: Option<usize>,
    ty: impl Fn(usize) -> &'static NamedType,
) -> Result<(), ValueFault> {
    match value {
        Value::Array(values) if length.is_none_or(|length| values.len() == length) => {
            let item = |(index, value)| check(ty(index), value, &below(at, &index.to_string()));
            values.iter().enumerate().try_for_each(item)
        }
        _ => Err(ValueFault { at: at.into(), found: kind(value), expected: expected.into() }),
    }
}

fn fields(types: &[&'static NamedValue], value: &Value, at: &str, expected: &str) -> Result<(), ValueFault> {
    let Value::Object(entries) = value else {
        return Err(ValueFault { at: at.into(), found: kind(value), expected: expected.into() });
    };
    if let Some(unknown) = entries.keys().find(|key| !types.iter().any(|field| field.name == key.as_str())) {
        let found = "a field of that name".into();
        return Err(ValueFault { at: below(at, unknown), found, expected: expected.into() });
    }
    types.iter().try_for_each(|field| {
        let at = below(at, field.name);
        match entries.get(field.name) {
            Some(value) => check(field.ty, value, &at),
            None if matches!(field.ty.ty, DataModelType::Option(_)) => Ok(()),
            None => Err(ValueFault { at, found: "nothing".into(), expected: text(field.ty) }),
        }
    })
}
