//! JSON at the edges, postcard inside: values of a schema, written and read by hand.

mod check;
mod read;
mod write;

use helix_runtime::Shape;
use postcard_schema::schema::{DataModelType, NamedType};
use serde::de::DeserializeSeed;
use serde_json::Value;

use check::check;
use read::Seed;
use write::Typed;

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
                Some(value) => Ok(as_text(ty, value)),
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

/// The fields of an event, as the value that [`encode`] takes for it.
pub fn event(shape: Shape, given: &Value) -> Value {
    match (shape.schema().ty, given) {
        // An event without fields is given nothing.
        (DataModelType::Unit | DataModelType::UnitStruct, Value::Object(fields)) if fields.is_empty() => Value::Null,
        (DataModelType::Struct(types), Value::Object(fields)) => {
            let of = |(name, value): (&String, &Value)| {
                let ty = types.iter().find(|field| field.name == name).map(|field| field.ty);
                (name.clone(), ty.map_or_else(|| value.clone(), |ty| as_text(ty, value)))
            };
            Value::Object(fields.iter().map(of).collect())
        }
        _ => given.clone(),
    }
}

/// What is given by `name=value` has no quotes around it: for a field of text, a number is text too.
fn as_text(ty: &NamedType, value: &Value) -> Value {
    let ty = match ty.ty {
        DataModelType::Option(inner) => inner.ty,
        ty => ty,
    };
    match value {
        Value::Number(_) | Value::Bool(_) if matches!(ty, DataModelType::String) => Value::String(value.to_string()),
        value => value.clone(),
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

/// The key of a map, which is text in JSON, as the value that its type takes.
fn key_of(ty: &NamedType, name: &str) -> Value {
    match ty.ty {
        DataModelType::String | DataModelType::Char | DataModelType::Enum(_) => Value::String(name.into()),
        DataModelType::NewtypeStruct(inner) => key_of(inner, name),
        DataModelType::Option(inner) if name != "null" => key_of(inner, name),
        _ => from_text(name),
    }
}

/// A number, or what JSON has no number for: `inf`, `-inf`, `NaN`.
fn real(value: &Value) -> Option<f64> {
    let named = |text: &str| matches!(text, "inf" | "-inf" | "NaN").then(|| text.parse().ok()).flatten();
    value.as_f64().or_else(|| named(value.as_str()?))
}
