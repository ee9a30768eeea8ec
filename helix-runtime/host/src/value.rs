//! JSON at the edges, postcard inside: values of a schema, written and read by hand.

use std::fmt;

use helix_runtime::Shape;
use postcard_schema::schema::{DataModelType, DataModelVariant, NamedType, NamedValue};
use serde::de::{self, DeserializeSeed, EnumAccess, MapAccess, SeqAccess, VariantAccess, Visitor};
use serde::ser::{SerializeMap, SerializeSeq, SerializeStruct, SerializeStructVariant, SerializeTuple};
use serde::ser::{SerializeTupleStruct, SerializeTupleVariant};
use serde::{Deserializer, Serialize, Serializer};
use serde_json::{Map, Number, Value};

/// A value that is not what its schema says.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}: found {found}, expected {expected}", if .at.is_empty() { "value" } else { .at })]
pub struct ValueFault {
    /// Which field, as a path: `position.x`.
    pub at: String,
    /// What is there.
    pub found: String,
    /// What the schema says.
    pub expected: String,
}

/// Encodes a value as the shape says; each field is checked before anything is encoded.
pub fn encode(shape: Shape, value: &Value) -> Result<Vec<u8>, ValueFault> {
    check(shape.schema(), value, "")?;
    let typed = Typed { ty: shape.schema(), value };
    postcard::to_allocvec(&typed).map_err(|error| ValueFault {
        at: String::new(),
        found: error.to_string(),
        expected: shape.to_string(),
    })
}

/// The arguments of a request from `name=value` pairs or from one JSON object or array, as the value that
/// [`encode`] takes for its tuple.
pub fn arguments(shape: Shape, params: &[&str], given: &Value) -> Result<Value, ValueFault> {
    let DataModelType::Tuple(items) = shape.schema().ty else { return Ok(given.clone()) };
    let named = |at: usize| params.get(at).copied().unwrap_or("?");
    let signature = || {
        let of = |(at, ty): (usize, &&'static NamedType)| format!("{}: {}", named(at), text(ty));
        items.iter().enumerate().map(of).collect::<Vec<_>>().join(", ")
    };
    match given {
        Value::Array(values) if values.len() == items.len() => Ok(given.clone()),
        Value::Object(fields) => {
            if let Some(unknown) = fields.keys().find(|key| !params.contains(&key.as_str())) {
                let expected = if items.is_empty() { "no arguments".into() } else { signature() };
                return Err(ValueFault { at: unknown.clone(), found: "an argument of that name".into(), expected });
            }
            let of = |(at, ty): (usize, &&'static NamedType)| match fields.get(named(at)) {
                Some(value) => Ok(value.clone()),
                None if matches!(ty.ty, DataModelType::Option(_)) => Ok(Value::Null),
                None => Err(ValueFault { at: named(at).into(), found: "nothing".into(), expected: text(ty) }),
            };
            items.iter().enumerate().map(of).collect::<Result<Vec<_>, _>>().map(Value::Array)
        }
        // The only argument, as it is.
        value if items.len() == 1 => Ok(Value::Array(vec![value.clone()])),
        value => Err(ValueFault { at: String::new(), found: kind(value), expected: format!("({})", signature()) }),
    }
}

/// A value from what stands behind `=` on a command line: JSON if it is that, else text.
pub fn from_text(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|_| Value::String(text.into()))
}

/// Decodes a value of a shape.
pub fn decode(shape: Shape, bytes: &[u8]) -> Result<Value, ValueFault> {
    let fail = |found: String| ValueFault { at: String::new(), found, expected: shape.to_string() };
    let mut deserializer = postcard::Deserializer::from_bytes(bytes);
    let value = Seed(shape.schema()).deserialize(&mut deserializer).map_err(|error| fail(error.to_string()))?;
    match deserializer.finalize() {
        Ok([]) => Ok(value),
        _ => Err(fail(format!("{} bytes, of which some are left over", bytes.len()))),
    }
}

fn text(ty: &'static NamedType) -> String {
    Shape::new(ty).to_string()
}

fn kind(value: &Value) -> String {
    match value {
        Value::Null => "null".into(),
        Value::Bool(value) => value.to_string(),
        Value::Number(number) => number.to_string(),
        Value::String(text) => format!("{text:?}"),
        Value::Array(values) => format!("a list of {}", values.len()),
        Value::Object(_) => "an object".into(),
    }
}

fn below(at: &str, field: &str) -> String {
    if at.is_empty() { field.into() } else { format!("{at}.{field}") }
}

/// Whether a value is of a type; the first field that is not is told.
fn check(ty: &'static NamedType, value: &Value, at: &str) -> Result<(), ValueFault> {
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
        DataModelType::U128 => unsigned(128, "u128"),
        DataModelType::I8 => signed(8, "i8"),
        DataModelType::I16 => signed(16, "i16"),
        DataModelType::I32 => signed(32, "i32"),
        DataModelType::I64 | DataModelType::Isize => signed(64, "i64"),
        DataModelType::I128 => signed(128, "i128"),
        DataModelType::F32 | DataModelType::F64 if value.is_number() => Ok(()),
        DataModelType::F32 | DataModelType::F64 => wrong("a number"),
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
        DataModelType::Map { val, .. } => match value {
            Value::Object(entries) => entries.iter().try_for_each(|(key, value)| check(val, value, &below(at, key))),
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

/// A value that was checked, as what its type says: any codec of serde's writes it as it would write the type.
struct Typed<'a> {
    ty: &'static NamedType,
    value: &'a Value,
}

impl Typed<'_> {
    fn item(&self, at: usize, ty: &'static NamedType) -> Typed<'_> {
        Typed { ty, value: self.value.get(at).unwrap_or(&Value::Null) }
    }

    fn field(&self, field: &'static NamedValue) -> Typed<'_> {
        Typed { ty: field.ty, value: self.value.get(field.name).unwrap_or(&Value::Null) }
    }

    fn integer<T: TryFrom<i128>>(&self) -> Option<T> {
        let number = self.value.as_i64().map(i128::from).or_else(|| self.value.as_u64().map(i128::from));
        number.and_then(|number| T::try_from(number).ok())
    }
}

impl Serialize for Typed<'_> {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let (ty, value) = (self.ty, self.value);
        let wrong = || serde::ser::Error::custom(format!("{} is not {}", kind(value), text(ty)));
        match ty.ty {
            DataModelType::Bool => to.serialize_bool(value.as_bool().ok_or_else(wrong)?),
            DataModelType::U8 => to.serialize_u8(self.integer().ok_or_else(wrong)?),
            DataModelType::U16 => to.serialize_u16(self.integer().ok_or_else(wrong)?),
            DataModelType::U32 => to.serialize_u32(self.integer().ok_or_else(wrong)?),
            DataModelType::U64 | DataModelType::Usize => to.serialize_u64(self.integer().ok_or_else(wrong)?),
            DataModelType::U128 => to.serialize_u128(self.integer().ok_or_else(wrong)?),
            DataModelType::I8 => to.serialize_i8(self.integer().ok_or_else(wrong)?),
            DataModelType::I16 => to.serialize_i16(self.integer().ok_or_else(wrong)?),
            DataModelType::I32 => to.serialize_i32(self.integer().ok_or_else(wrong)?),
            DataModelType::I64 | DataModelType::Isize => to.serialize_i64(self.integer().ok_or_else(wrong)?),
            DataModelType::I128 => to.serialize_i128(self.integer().ok_or_else(wrong)?),
            DataModelType::F32 => to.serialize_f32(value.as_f64().ok_or_else(wrong)? as f32),
            DataModelType::F64 => to.serialize_f64(value.as_f64().ok_or_else(wrong)?),
            DataModelType::Char => {
                to.serialize_char(value.as_str().and_then(|text| text.chars().next()).ok_or_else(wrong)?)
            }
            DataModelType::String => to.serialize_str(value.as_str().ok_or_else(wrong)?),
            DataModelType::ByteArray => {
                let values = value.as_array().ok_or_else(wrong)?;
                let bytes: Vec<u8> = values.iter().filter_map(|byte| byte.as_u64()?.try_into().ok()).collect();
                to.serialize_bytes(&bytes)
            }
            DataModelType::Option(_) if value.is_null() => to.serialize_none(),
            DataModelType::Option(inner) => to.serialize_some(&Typed { ty: inner, value }),
            DataModelType::Unit => to.serialize_unit(),
            DataModelType::UnitStruct => to.serialize_unit_struct(ty.name),
            DataModelType::NewtypeStruct(inner) => to.serialize_newtype_struct(ty.name, &Typed { ty: inner, value }),
            DataModelType::Seq(inner) => {
                let values = value.as_array().ok_or_else(wrong)?;
                let mut seq = to.serialize_seq(Some(values.len()))?;
                values.iter().try_for_each(|value| seq.serialize_element(&Typed { ty: inner, value }))?;
                seq.end()
            }
            DataModelType::Tuple(types) => {
                let mut tuple = to.serialize_tuple(types.len())?;
                for (at, ty) in types.iter().enumerate() {
                    tuple.serialize_element(&self.item(at, ty))?;
                }
                tuple.end()
            }
            DataModelType::TupleStruct(types) => {
                let mut tuple = to.serialize_tuple_struct(ty.name, types.len())?;
                for (at, ty) in types.iter().enumerate() {
                    tuple.serialize_field(&self.item(at, ty))?;
                }
                tuple.end()
            }
            DataModelType::Map { key, val } => {
                let entries = value.as_object().ok_or_else(wrong)?;
                let mut map = to.serialize_map(Some(entries.len()))?;
                for (name, value) in entries {
                    // A key of another type than text is given as text of its JSON.
                    let name = if matches!(key.ty, DataModelType::String) {
                        Value::String(name.clone())
                    } else {
                        from_text(name)
                    };
                    map.serialize_entry(&Typed { ty: key, value: &name }, &Typed { ty: val, value })?;
                }
                map.end()
            }
            DataModelType::Struct(types) => {
                let mut fields = to.serialize_struct(ty.name, types.len())?;
                for field in *types {
                    fields.serialize_field(field.name, &self.field(field))?;
                }
                fields.end()
            }
            DataModelType::Enum(variants) => {
                let (name, inner) = match value {
                    Value::String(name) => (name.as_str(), &Value::Null),
                    Value::Object(entries) => {
                        entries.iter().next().map(|(name, inner)| (name.as_str(), inner)).ok_or_else(wrong)?
                    }
                    _ => return Err(wrong()),
                };
                let at = variants.iter().position(|variant| variant.name == name).ok_or_else(wrong)?;
                let (index, variant) = (at as u32, variants[at]);
                let inner = |ty| Typed { ty, value: inner };
                match variant.ty {
                    DataModelVariant::UnitVariant => to.serialize_unit_variant(ty.name, index, variant.name),
                    DataModelVariant::NewtypeVariant(of) | DataModelVariant::TupleVariant([of]) => {
                        to.serialize_newtype_variant(ty.name, index, variant.name, &inner(of))
                    }
                    DataModelVariant::TupleVariant(types) => {
                        let mut tuple = to.serialize_tuple_variant(ty.name, index, variant.name, types.len())?;
                        for (at, of) in types.iter().enumerate() {
                            tuple.serialize_field(&inner(ty).item(at, of))?;
                        }
                        tuple.end()
                    }
                    DataModelVariant::StructVariant(types) => {
                        let mut fields = to.serialize_struct_variant(ty.name, index, variant.name, types.len())?;
                        for field in *types {
                            fields.serialize_field(field.name, &inner(ty).field(field))?;
                        }
                        fields.end()
                    }
                }
            }
            DataModelType::Schema => Err(wrong()),
        }
    }
}

/// Reads a value of a type.
#[derive(Clone, Copy)]
struct Seed(&'static NamedType);

/// Items one after another, each of its own type.
struct Items<F>(F, Option<usize>);

impl<'de, F: Fn(usize) -> &'static NamedType> Visitor<'de> for Items<F> {
    type Value = Vec<Value>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("items")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Vec<Value>, A::Error> {
        let mut values = Vec::new();
        while self.1.is_none_or(|length| values.len() < length) {
            match seq.next_element_seed(Seed((self.0)(values.len())))? {
                Some(value) => values.push(value),
                None if self.1.is_some() => return Err(de::Error::invalid_length(values.len(), &"more items")),
                None => break,
            }
        }
        Ok(values)
    }
}

fn object(types: &[&'static NamedValue], values: Vec<Value>) -> Value {
    Value::Object(types.iter().map(|field| field.name.to_string()).zip(values).collect())
}

impl<'de> DeserializeSeed<'de> for Seed {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<Value, D::Error> {
        let ty = self.0;
        match ty.ty {
            DataModelType::Option(_) => from.deserialize_option(self),
            DataModelType::Seq(inner) => from.deserialize_seq(Items(|_| *inner, None)).map(Value::Array),
            DataModelType::Tuple(types) | DataModelType::TupleStruct(types) => {
                from.deserialize_tuple(types.len(), Items(|at: usize| types[at], Some(types.len()))).map(Value::Array)
            }
            DataModelType::Struct(types) => {
                let items = Items(|at: usize| types[at].ty, Some(types.len()));
                Ok(object(types, from.deserialize_tuple(types.len(), items)?))
            }
            DataModelType::Enum(_) => from.deserialize_enum("", &[], self),
            DataModelType::Map { .. } => from.deserialize_map(self),
            DataModelType::NewtypeStruct(inner) => Seed(inner).deserialize(from),
            DataModelType::Unit | DataModelType::UnitStruct => from.deserialize_unit(self),
            DataModelType::Bool => from.deserialize_bool(self),
            DataModelType::U8 => from.deserialize_u8(self),
            DataModelType::U16 => from.deserialize_u16(self),
            DataModelType::U32 => from.deserialize_u32(self),
            DataModelType::U64 | DataModelType::Usize => from.deserialize_u64(self),
            DataModelType::U128 => from.deserialize_u128(self),
            DataModelType::I8 => from.deserialize_i8(self),
            DataModelType::I16 => from.deserialize_i16(self),
            DataModelType::I32 => from.deserialize_i32(self),
            DataModelType::I64 | DataModelType::Isize => from.deserialize_i64(self),
            DataModelType::I128 => from.deserialize_i128(self),
            DataModelType::F32 => from.deserialize_f32(self),
            DataModelType::F64 => from.deserialize_f64(self),
            DataModelType::Char => from.deserialize_char(self),
            DataModelType::String => from.deserialize_str(self),
            DataModelType::ByteArray => from.deserialize_bytes(self),
            DataModelType::Schema => Err(de::Error::custom("schemas are not shown")),
        }
    }
}

macro_rules! numbers {
    ($($visit:ident: $ty:ty),*) => { $(
        fn $visit<E: de::Error>(self, value: $ty) -> Result<Value, E> {
            Ok(Value::Number(value.into()))
        }
    )* };
}

impl<'de> Visitor<'de> for Seed {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&text(self.0))
    }

    numbers!(visit_u8: u8, visit_u16: u16, visit_u32: u32, visit_u64: u64);
    numbers!(visit_i8: i8, visit_i16: i16, visit_i32: i32, visit_i64: i64);

    fn visit_u128<E: de::Error>(self, value: u128) -> Result<Value, E> {
        Ok(u64::try_from(value).map_or_else(|_| Value::String(value.to_string()), |small| Value::Number(small.into())))
    }

    fn visit_i128<E: de::Error>(self, value: i128) -> Result<Value, E> {
        Ok(i64::try_from(value).map_or_else(|_| Value::String(value.to_string()), |small| Value::Number(small.into())))
    }

    fn visit_f32<E: de::Error>(self, value: f32) -> Result<Value, E> {
        // As it is written, not as the nearest of twice the length: 0.1 and not 0.10000000149.
        self.visit_f64(value.to_string().parse().unwrap_or(f64::from(value)))
    }

    fn visit_f64<E: de::Error>(self, value: f64) -> Result<Value, E> {
        Ok(Number::from_f64(value).map_or_else(|| Value::String(value.to_string()), Value::Number))
    }

    fn visit_bool<E: de::Error>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_char<E: de::Error>(self, value: char) -> Result<Value, E> {
        Ok(Value::String(value.into()))
    }

    fn visit_str<E: de::Error>(self, value: &str) -> Result<Value, E> {
        Ok(Value::String(value.into()))
    }

    fn visit_bytes<E: de::Error>(self, value: &[u8]) -> Result<Value, E> {
        Ok(Value::Array(value.iter().map(|byte| Value::Number((*byte).into())).collect()))
    }

    fn visit_unit<E: de::Error>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_none<E: de::Error>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_some<D: Deserializer<'de>>(self, from: D) -> Result<Value, D::Error> {
        match self.0.ty {
            DataModelType::Option(inner) => Seed(inner).deserialize(from),
            _ => Err(de::Error::custom("an option where none is meant")),
        }
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Value, A::Error> {
        let DataModelType::Map { key, val } = self.0.ty else {
            return Err(de::Error::custom("a map where none is meant"));
        };
        let mut entries = Map::new();
        while let Some(name) = map.next_key_seed(Seed(key))? {
            let name = name.as_str().map_or_else(|| name.to_string(), str::to_string);
            entries.insert(name, map.next_value_seed(Seed(val))?);
        }
        Ok(Value::Object(entries))
    }

    fn visit_enum<A: EnumAccess<'de>>(self, data: A) -> Result<Value, A::Error> {
        let DataModelType::Enum(variants) = self.0.ty else {
            return Err(de::Error::custom("a variant where none is meant"));
        };
        let (index, access): (u32, _) = data.variant_seed(Index)?;
        let variant = variants.get(index as usize);
        let variant = variant.ok_or_else(|| de::Error::custom(format!("there is no variant {index}")))?;
        let inner = match variant.ty {
            DataModelVariant::UnitVariant => {
                access.unit_variant()?;
                return Ok(Value::String(variant.name.into()));
            }
            DataModelVariant::NewtypeVariant(ty) | DataModelVariant::TupleVariant([ty]) => {
                access.newtype_variant_seed(Seed(ty))?
            }
            DataModelVariant::TupleVariant(types) => {
                Value::Array(access.tuple_variant(types.len(), Items(|at: usize| types[at], Some(types.len())))?)
            }
            DataModelVariant::StructVariant(types) => {
                let items = Items(|at: usize| types[at].ty, Some(types.len()));
                object(types, access.tuple_variant(types.len(), items)?)
            }
        };
        Ok(Value::Object([(variant.name.to_string(), inner)].into_iter().collect()))
    }
}

/// The number of a variant, as it travels.
struct Index;

impl<'de> DeserializeSeed<'de> for Index {
    type Value = u32;

    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<u32, D::Error> {
        from.deserialize_u32(self)
    }
}

impl Visitor<'_> for Index {
    type Value = u32;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the number of a variant")
    }

    fn visit_u32<E: de::Error>(self, value: u32) -> Result<u32, E> {
        Ok(value)
    }
}
