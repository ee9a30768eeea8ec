//! A value of a schema, read by any codec of serde's.

use std::fmt;

use postcard_schema::schema::{DataModelType, DataModelVariant, NamedType, NamedValue};
use serde::Deserializer;
use serde::de::{self, DeserializeSeed, EnumAccess, MapAccess, SeqAccess, VariantAccess, Visitor};
use serde_json::{Map, Number, Value};

use super::text;

/// Reads a value of a type.
#[derive(Clone, Copy)]
pub(super) struct Seed(pub(super) &'static NamedType);

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
