//! A value that was checked, written by any codec of serde's.

use postcard_schema::schema::{DataModelType, DataModelVariant, NamedType, NamedValue};
use serde::ser::{SerializeMap, SerializeSeq, SerializeStruct, SerializeStructVariant, SerializeTuple};
use serde::ser::{SerializeTupleStruct, SerializeTupleVariant};
use serde::{Serialize, Serializer};
use serde_json::Value;

use super::{key_of, kind, real, text};

/// A value that was checked, as what its type says: any codec of serde's writes it as it would write the type.
pub(super) struct Typed<'a> {
    pub(super) ty: &'static NamedType,
    pub(super) value: &'a Value,
}

impl Typed<'_> {
    fn item(&self, at: usize, ty: &'static NamedType) -> Typed<'_> {
        Typed { ty, value: self.value.get(at).unwrap_or(&Value::Null) }
    }

    fn field(&self, field: &'static NamedValue) -> Typed<'_> {
        Typed { ty: field.ty, value: self.value.get(field.name).unwrap_or(&Value::Null) }
    }

    /// A whole number that may be given as text.
    fn large<T: TryFrom<i128> + std::str::FromStr>(&self) -> Option<T> {
        self.integer().or_else(|| self.value.as_str()?.parse().ok())
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
            DataModelType::U128 => to.serialize_u128(self.large().ok_or_else(wrong)?),
            DataModelType::I8 => to.serialize_i8(self.integer().ok_or_else(wrong)?),
            DataModelType::I16 => to.serialize_i16(self.integer().ok_or_else(wrong)?),
            DataModelType::I32 => to.serialize_i32(self.integer().ok_or_else(wrong)?),
            DataModelType::I64 | DataModelType::Isize => to.serialize_i64(self.integer().ok_or_else(wrong)?),
            DataModelType::I128 => to.serialize_i128(self.large().ok_or_else(wrong)?),
            DataModelType::F32 => to.serialize_f32(real(value).ok_or_else(wrong)? as f32),
            DataModelType::F64 => to.serialize_f64(real(value).ok_or_else(wrong)?),
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
                    let name = key_of(key, name);
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
