//! Schemas that come in a process's table: read no deeper than types are, and kept for good, like those that a program is
//! compiled with.

use alloc::boxed::Box;
use alloc::string::String;
use alloc::vec::Vec;

use postcard_schema::schema::{DataModelType, DataModelVariant, NamedType, NamedValue, NamedVariant};
use serde::Deserialize;

use super::fault::nested;
use crate::schema::{Shape, can_travel};

/// A schema as it comes: what [`NamedType`] is written as.
#[derive(Debug, Deserialize)]
pub(super) struct Schema {
    name: String,
    ty: Type,
}

/// A schema inside another one.
#[derive(Debug, Deserialize)]
#[serde(transparent)]
struct Inner(#[serde(deserialize_with = "nested")] Box<Schema>);

/// As [`DataModelType`], variant for variant.
#[derive(Debug, Deserialize)]
enum Type {
    Bool,
    I8,
    U8,
    I16,
    I32,
    I64,
    I128,
    U16,
    U32,
    U64,
    U128,
    Usize,
    Isize,
    F32,
    F64,
    Char,
    String,
    ByteArray,
    Option(Inner),
    Unit,
    UnitStruct,
    NewtypeStruct(Inner),
    Seq(Inner),
    Tuple(Vec<Inner>),
    TupleStruct(Vec<Inner>),
    Map { key: Inner, val: Inner },
    Struct(Vec<Field>),
    Enum(Vec<Variant>),
    Schema,
}

#[derive(Debug, Deserialize)]
struct Field {
    name: String,
    ty: Inner,
}

#[derive(Debug, Deserialize)]
struct Variant {
    name: String,
    ty: VariantType,
}

/// As [`DataModelVariant`].
#[derive(Debug, Deserialize)]
enum VariantType {
    Unit,
    Newtype(Inner),
    Tuple(Vec<Inner>),
    Struct(Vec<Field>),
}

fn one<T>(value: T) -> &'static T {
    Box::leak(Box::new(value))
}

fn text(text: String) -> &'static str {
    text.leak()
}

fn all<T, U>(items: Vec<T>, keep: impl Fn(T) -> &'static U) -> &'static [&'static U] {
    items.into_iter().map(keep).collect::<Vec<_>>().leak()
}

fn inner(inner: Inner) -> &'static NamedType {
    kept(*inner.0)
}

fn field(field: Field) -> &'static NamedValue {
    one(NamedValue { name: text(field.name), ty: inner(field.ty) })
}

fn variant(variant: Variant) -> &'static NamedVariant {
    let ty = match variant.ty {
        VariantType::Unit => DataModelVariant::UnitVariant,
        VariantType::Newtype(of) => DataModelVariant::NewtypeVariant(inner(of)),
        VariantType::Tuple(items) => DataModelVariant::TupleVariant(all(items, inner)),
        VariantType::Struct(fields) => DataModelVariant::StructVariant(all(fields, field)),
    };
    one(NamedVariant { name: text(variant.name), ty: one(ty) })
}

fn kept(schema: Schema) -> &'static NamedType {
    use DataModelType as To;
    let ty = match schema.ty {
        Type::Bool => To::Bool,
        Type::I8 => To::I8,
        Type::U8 => To::U8,
        Type::I16 => To::I16,
        Type::I32 => To::I32,
        Type::I64 => To::I64,
        Type::I128 => To::I128,
        Type::U16 => To::U16,
        Type::U32 => To::U32,
        Type::U64 => To::U64,
        Type::U128 => To::U128,
        Type::Usize => To::Usize,
        Type::Isize => To::Isize,
        Type::F32 => To::F32,
        Type::F64 => To::F64,
        Type::Char => To::Char,
        Type::String => To::String,
        Type::ByteArray => To::ByteArray,
        Type::Option(of) => To::Option(inner(of)),
        Type::Unit => To::Unit,
        Type::UnitStruct => To::UnitStruct,
        Type::NewtypeStruct(of) => To::NewtypeStruct(inner(of)),
        Type::Seq(of) => To::Seq(inner(of)),
        Type::Tuple(items) => To::Tuple(all(items, inner)),
        Type::TupleStruct(items) => To::TupleStruct(all(items, inner)),
        Type::Map { key, val } => To::Map { key: inner(key), val: inner(val) },
        Type::Struct(fields) => To::Struct(all(fields, field)),
        Type::Enum(variants) => To::Enum(all(variants, variant)),
        Type::Schema => To::Schema,
    };
    one(NamedType { name: text(schema.name), ty: one(ty) })
}

impl Schema {
    /// The shape of it; nothing where its values cannot travel.
    pub(super) fn shape(self) -> Option<Shape> {
        let named = kept(self);
        can_travel(named).then(|| Shape::new(named))
    }
}
