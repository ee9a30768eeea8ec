//! The canonical text of a message's schema: what is hashed, what modinfo shows and what a mismatch prints.
//!
//! One walker serves all three, at compile time too. The grammar, where `T` is again a schema:
//!
//! ```text
//! bool u8 .. u128 i8 .. i128 f32 f64 char str bytes ()    themselves
//! ?T   [T]   {K:V}   (A,B)                                option, sequence, map, tuple
//! Name{a:T,b:T}   Name(T)   Name{}                        struct, tuple struct, unit struct
//! Name<A|B(T)|C{x:T}>                                     enum
//! ```

use alloc::string::String;
use alloc::vec;
use core::fmt;

use postcard_schema::schema::{DataModelType, DataModelVariant, NamedType, NamedValue};

/// A message's shape: the names of its types and fields, and how they travel.
///
/// Two schemas are equal when their canonical texts are.
///
/// ```
/// use helix_runtime::Message;
/// assert_eq!(<(u64, Option<bool>)>::SHAPE.to_string(), "(u64,?bool)");
/// ```
#[derive(Clone, Copy)]
pub struct Shape {
    ty: &'static NamedType,
    hash: u64,
}

impl Shape {
    /// The shape of a schema, with its hash computed.
    pub const fn new(ty: &'static NamedType) -> Self {
        let mut out = Out::hashing();
        write_type(&mut out, ty);
        Self { ty, hash: out.hash }
    }

    /// Begins the name of a type that is known by its schema's text alone, which follows.
    #[cfg(feature = "std")]
    pub(crate) const TEXT: char = '\0';

    /// A shape whose hash is known.
    #[cfg(feature = "std")]
    pub(crate) const fn with_hash(ty: &'static NamedType, hash: u64) -> Self {
        Self { ty, hash }
    }

    /// FNV-1a (64 bits) of the canonical text.
    pub const fn hash(&self) -> u64 {
        self.hash
    }

    /// The schema as the codec's own type, for tools that read JSON through it.
    pub const fn schema(&self) -> &'static NamedType {
        self.ty
    }

    pub(crate) const fn write(&self, out: &mut Out<'_>) {
        write_type(out, self.ty);
    }

    /// Writes a tuple with a name for each of its items.
    pub(crate) const fn write_named(&self, out: &mut Out<'_>, names: &[&str]) {
        let DataModelType::Tuple(items) = self.ty.ty else { return self.write(out) };
        out.text("(");
        let mut at = 0;
        while at < items.len() {
            if at > 0 {
                out.text(",");
            }
            if at < names.len() {
                out.text(names[at]);
                out.text(":");
            }
            write_type(out, items[at]);
            at += 1;
        }
        out.text(")");
    }
}

impl PartialEq for Shape {
    fn eq(&self, other: &Self) -> bool {
        self.hash == other.hash
    }
}

impl Eq for Shape {}

impl fmt::Display for Shape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut measure = Out::measuring();
        self.write(&mut measure);
        let mut bytes = vec![0; measure.len];
        self.write(&mut Out::into(&mut bytes));
        f.write_str(&String::from_utf8_lossy(&bytes))
    }
}

impl fmt::Debug for Shape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Where the walkers of this crate write: a buffer, a length only, or a hash only.
pub(crate) struct Out<'a> {
    bytes: &'a mut [u8],
    pub(crate) len: usize,
    pub(crate) hash: u64,
    hashes: bool,
}

pub(crate) const FNV_OFFSET: u64 = 0xcbf2_9ce4_8422_2325;
const FNV_PRIME: u64 = 0x0100_0000_01b3;

/// FNV-1a, 64 bits.
pub(crate) const fn fnv(bytes: &[u8], mut hash: u64) -> u64 {
    let mut at = 0;
    while at < bytes.len() {
        hash = (hash ^ bytes[at] as u64).wrapping_mul(FNV_PRIME);
        at += 1;
    }
    hash
}

/// FNV-1a of a name.
pub(crate) const fn hash_name(name: &str) -> u64 {
    fnv(name.as_bytes(), FNV_OFFSET)
}

impl<'a> Out<'a> {
    pub(crate) const fn into(bytes: &'a mut [u8]) -> Self {
        Self { bytes, len: 0, hash: FNV_OFFSET, hashes: false }
    }

    pub(crate) const fn measuring() -> Self {
        Self::into(&mut [])
    }

    const fn hashing() -> Self {
        Self { bytes: &mut [], len: 0, hash: FNV_OFFSET, hashes: true }
    }

    /// Appends what fits; `len` counts all of it.
    pub(crate) const fn text(&mut self, text: &str) {
        let text = text.as_bytes();
        let end = self.len + text.len();
        if end <= self.bytes.len() {
            // By index: in const evaluation this costs a fraction of what slicing and copying do.
            let mut at = 0;
            while at < text.len() {
                self.bytes[self.len + at] = text[at];
                at += 1;
            }
        }
        if self.hashes {
            self.hash = fnv(text, self.hash);
        }
        self.len = end;
    }

    /// Appends a number in decimal.
    pub(crate) const fn number(&mut self, number: u64) {
        if number >= 10 {
            self.number(number / 10);
        }
        let digit = [b'0' + (number % 10) as u8];
        if let Ok(digit) = core::str::from_utf8(&digit) {
            self.text(digit);
        }
    }
}

const fn write_type(out: &mut Out<'_>, named: &NamedType) {
    match named.ty {
        DataModelType::Bool => out.text("bool"),
        DataModelType::I8 => out.text("i8"),
        DataModelType::U8 => out.text("u8"),
        DataModelType::I16 => out.text("i16"),
        DataModelType::I32 => out.text("i32"),
        DataModelType::I64 => out.text("i64"),
        DataModelType::I128 => out.text("i128"),
        DataModelType::U16 => out.text("u16"),
        DataModelType::U32 => out.text("u32"),
        DataModelType::U64 => out.text("u64"),
        DataModelType::U128 => out.text("u128"),
        DataModelType::Usize => out.text("usize"),
        DataModelType::Isize => out.text("isize"),
        DataModelType::F32 => out.text("f32"),
        DataModelType::F64 => out.text("f64"),
        DataModelType::Char => out.text("char"),
        DataModelType::String => out.text("str"),
        DataModelType::ByteArray => out.text("bytes"),
        DataModelType::Option(inner) => {
            out.text("?");
            write_type(out, inner);
        }
        DataModelType::Unit => out.text("()"),
        // No type is called so: what follows is the text of a schema that is known by it alone.
        DataModelType::UnitStruct if starts_with_zero(named.name) => out.text(named.name.split_at(1).1),
        DataModelType::UnitStruct => {
            out.text(named.name);
            out.text("{}");
        }
        DataModelType::NewtypeStruct(inner) => {
            out.text(named.name);
            write_tuple(out, &[inner]);
        }
        DataModelType::Seq(inner) => {
            assert!(
                !takes_no_bytes(inner),
                "a sequence of values that take no bytes cannot travel: any length would fit into a few bytes; send the length"
            );
            out.text("[");
            write_type(out, inner);
            out.text("]");
        }
        DataModelType::Tuple(items) => write_tuple(out, items),
        DataModelType::TupleStruct(items) => {
            out.text(named.name);
            write_tuple(out, items);
        }
        DataModelType::Map { key, val } => {
            assert!(
                !(takes_no_bytes(key) && takes_no_bytes(val)),
                "a map of values that take no bytes cannot travel: any length would fit into a few bytes; send the length"
            );
            out.text("{");
            write_type(out, key);
            out.text(":");
            write_type(out, val);
            out.text("}");
        }
        DataModelType::Struct(fields) => {
            out.text(named.name);
            write_fields(out, fields);
        }
        DataModelType::Enum(variants) => {
            out.text(plain_name(named.name));
            out.text("<");
            let mut at = 0;
            while at < variants.len() {
                if at > 0 {
                    out.text("|");
                }
                out.text(variants[at].name);
                match variants[at].ty {
                    DataModelVariant::UnitVariant => {}
                    DataModelVariant::NewtypeVariant(inner) => write_tuple(out, &[inner]),
                    DataModelVariant::TupleVariant(items) => write_tuple(out, items),
                    DataModelVariant::StructVariant(fields) => write_fields(out, fields),
                }
                at += 1;
            }
            out.text(">");
        }
        DataModelType::Schema => out.text("schema"),
    }
}

const fn starts_with_zero(name: &str) -> bool {
    matches!(name.as_bytes().first(), Some(0))
}

/// Whether a type's values are nothing on the wire.
const fn takes_no_bytes(named: &NamedType) -> bool {
    let items = match named.ty {
        DataModelType::Unit | DataModelType::UnitStruct => return true,
        DataModelType::NewtypeStruct(inner) => return takes_no_bytes(inner),
        DataModelType::Tuple(items) | DataModelType::TupleStruct(items) => *items,
        DataModelType::Struct(fields) => {
            let mut at = 0;
            while at < fields.len() {
                if !takes_no_bytes(fields[at].ty) {
                    return false;
                }
                at += 1;
            }
            return true;
        }
        _ => return false,
    };
    let mut at = 0;
    while at < items.len() {
        if !takes_no_bytes(items[at]) {
            return false;
        }
        at += 1;
    }
    true
}

/// Whether values of a type can travel: the walkers above hold to that where a type is compiled in.
#[cfg(feature = "std")]
pub(crate) fn can_travel(named: &NamedType) -> bool {
    let fields = |fields: &[&'static NamedValue]| fields.iter().all(|field| can_travel(field.ty));
    let items = |items: &[&'static NamedType]| items.iter().all(|item| can_travel(item));
    match named.ty {
        DataModelType::Option(inner) | DataModelType::NewtypeStruct(inner) => can_travel(inner),
        DataModelType::Seq(inner) => !takes_no_bytes(inner) && can_travel(inner),
        DataModelType::Tuple(all) | DataModelType::TupleStruct(all) => items(all),
        DataModelType::Map { key, val } => {
            !(takes_no_bytes(key) && takes_no_bytes(val)) && can_travel(key) && can_travel(val)
        }
        DataModelType::Struct(all) => fields(all),
        DataModelType::Enum(variants) => variants.iter().all(|variant| match variant.ty {
            DataModelVariant::UnitVariant => true,
            DataModelVariant::NewtypeVariant(inner) => can_travel(inner),
            DataModelVariant::TupleVariant(all) => items(all),
            DataModelVariant::StructVariant(all) => fields(all),
        }),
        _ => true,
    }
}

/// A generic type of std's is named with its parameters (`Result<T, E>`), which follow anyway.
const fn plain_name(name: &str) -> &str {
    let mut at = 0;
    while at < name.len() {
        if name.as_bytes()[at] == b'<' {
            return name.split_at(at).0;
        }
        at += 1;
    }
    name
}

const fn write_tuple(out: &mut Out<'_>, items: &[&'static NamedType]) {
    out.text("(");
    let mut at = 0;
    while at < items.len() {
        if at > 0 {
            out.text(",");
        }
        write_type(out, items[at]);
        at += 1;
    }
    out.text(")");
}

const fn write_fields(out: &mut Out<'_>, fields: &[&'static NamedValue]) {
    out.text("{");
    let mut at = 0;
    while at < fields.len() {
        if at > 0 {
            out.text(",");
        }
        out.text(fields[at].name);
        out.text(":");
        write_type(out, fields[at].ty);
        at += 1;
    }
    out.text("}");
}
