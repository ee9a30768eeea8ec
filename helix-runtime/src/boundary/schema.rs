//! Schemas that come in a process's table: kept for good, like those that a program is compiled with.

use alloc::boxed::Box;
use alloc::string::String;
use alloc::vec::Vec;

use postcard_schema::schema::owned::{OwnedDataModelType, OwnedDataModelVariant, OwnedNamedType, OwnedNamedValue};
use postcard_schema::schema::{DataModelType, DataModelVariant, NamedType, NamedValue, NamedVariant};

fn one<T>(value: T) -> &'static T {
    Box::leak(Box::new(value))
}

fn text(text: &str) -> &'static str {
    String::from(text).leak()
}

fn all<T, U>(items: &[T], keep: impl Fn(&T) -> &'static U) -> &'static [&'static U] {
    items.iter().map(keep).collect::<Vec<_>>().leak()
}

fn field(field: &OwnedNamedValue) -> &'static NamedValue {
    one(NamedValue { name: text(&field.name), ty: kept(&field.ty) })
}

/// A schema, for good.
pub(super) fn kept(named: &OwnedNamedType) -> &'static NamedType {
    use DataModelType as To;
    use OwnedDataModelType as Of;
    let ty = match &named.ty {
        Of::Bool => To::Bool,
        Of::I8 => To::I8,
        Of::U8 => To::U8,
        Of::I16 => To::I16,
        Of::I32 => To::I32,
        Of::I64 => To::I64,
        Of::I128 => To::I128,
        Of::U16 => To::U16,
        Of::U32 => To::U32,
        Of::U64 => To::U64,
        Of::U128 => To::U128,
        Of::Usize => To::Usize,
        Of::Isize => To::Isize,
        Of::F32 => To::F32,
        Of::F64 => To::F64,
        Of::Char => To::Char,
        Of::String => To::String,
        Of::ByteArray => To::ByteArray,
        Of::Option(inner) => To::Option(kept(inner)),
        Of::Unit => To::Unit,
        Of::UnitStruct => To::UnitStruct,
        Of::NewtypeStruct(inner) => To::NewtypeStruct(kept(inner)),
        Of::Seq(inner) => To::Seq(kept(inner)),
        Of::Tuple(items) => To::Tuple(all(items, kept)),
        Of::TupleStruct(items) => To::TupleStruct(all(items, kept)),
        Of::Map { key, val } => To::Map { key: kept(key), val: kept(val) },
        Of::Struct(fields) => To::Struct(all(fields, field)),
        Of::Enum(variants) => To::Enum(all(variants, |variant| {
            let ty = match &variant.ty {
                OwnedDataModelVariant::UnitVariant => DataModelVariant::UnitVariant,
                OwnedDataModelVariant::NewtypeVariant(inner) => DataModelVariant::NewtypeVariant(kept(inner)),
                OwnedDataModelVariant::TupleVariant(items) => DataModelVariant::TupleVariant(all(items, kept)),
                OwnedDataModelVariant::StructVariant(fields) => DataModelVariant::StructVariant(all(fields, field)),
            };
            one(NamedVariant { name: text(&variant.name), ty: one(ty) })
        })),
        Of::Schema => To::Schema,
    };
    one(NamedType { name: text(&named.name), ty: one(ty) })
}
