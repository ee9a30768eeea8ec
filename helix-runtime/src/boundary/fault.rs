//! Errors, in bytes: what went wrong on one side, told on the other.

use alloc::boxed::Box;
use alloc::collections::{BTreeMap, BTreeSet};
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::cell::Cell;

use postcard_schema::schema::{DataModelType, NamedType};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::error::{IpcError, ModuleError};
use crate::lock::Lock;
use crate::message::{Sink, decode, encode};
use crate::schema::Shape;

/// Writes an error.
pub(super) fn write(error: &IpcError, sink: &mut dyn Sink) {
    // As below.
    let _ = encode(error, sink);
}

/// Reads an error that the other side has written.
pub(super) fn read(bytes: &[u8]) -> IpcError {
    decode(bytes).unwrap_or_else(|| IpcError::Failed {
        module: "helix".into(),
        request: "error".into(),
        error: Box::new(ModuleError::new("an error was told that cannot be read")),
    })
}

/// Writes what a module reports.
pub(super) fn write_module(error: &ModuleError, sink: &mut dyn Sink) {
    // A sink of the other side's grows; what does not arrive is told as what cannot be read.
    let _ = encode(error, sink);
}

/// Reads what a module reports.
pub(super) fn read_module(bytes: &[u8]) -> ModuleError {
    decode(bytes).unwrap_or_else(|| ModuleError::new("an error was told that cannot be read"))
}

pub(super) fn unknown_event(name: &str) -> ModuleError {
    format!("there is no built-in event `{name}`").into()
}

/// What stands for a text that is not kept.
const MORE: &str = "(one text more than are kept)";

/// The same of a name that another process gives: nothing where it is long, or too many are kept.
pub(super) fn name(module: &'static str, text: &str) -> Option<&'static str> {
    let kept = if text.len() <= 256 { on_account_of(module, || intern(text)) } else { MORE };
    (kept != MORE).then_some(kept)
}

/// Texts that last: each different one is kept once, for good.
struct Texts {
    kept: BTreeSet<&'static str>,
    /// How many of them each module in a process has given.
    given: BTreeMap<&'static str, usize>,
}

/// So many are kept, and none from then on; of one module in a process so many.
const KEPT: usize = 1 << 16;
const SHARE: usize = 512;
/// How long one can be, in bytes.
const LONGEST: usize = 16 << 10;

std::thread_local! {
    /// The module in a process on whose account texts are kept at the moment.
    static ACCOUNT: Cell<Option<&'static str>> = const { Cell::new(None) };
}

/// Reads what a module in a process has said: of the texts that are kept it has its share, and no more.
pub(super) fn on_account_of<T>(module: &'static str, read: impl FnOnce() -> T) -> T {
    struct Back(Option<&'static str>);
    impl Drop for Back {
        fn drop(&mut self) {
            ACCOUNT.set(self.0);
        }
    }
    let _back = Back(ACCOUNT.replace(Some(module)));
    read()
}

pub(super) fn intern(text: &str) -> &'static str {
    static TEXTS: Lock<Texts> = Lock::new(Texts { kept: BTreeSet::new(), given: BTreeMap::new() });
    let mut texts = TEXTS.lock();
    if let Some(known) = texts.kept.get(text) {
        return known;
    }
    if texts.kept.len() >= KEPT || text.len() > LONGEST {
        return MORE;
    }
    if let Some(module) = ACCOUNT.get() {
        let given = texts.given.entry(module).or_default();
        if *given >= SHARE {
            return MORE;
        }
        *given += 1;
    }
    let kept: &'static str = Box::leak(Box::from(text));
    texts.kept.insert(kept);
    kept
}

/// A schema that is known by its text alone.
fn shape_of(text: &str, hash: u64) -> Shape {
    static MORE_TYPES: NamedType = NamedType { name: MORE, ty: &DataModelType::UnitStruct };
    static TYPES: Lock<BTreeMap<&'static str, &'static NamedType>> = Lock::new(BTreeMap::new());
    let name = intern(&format!("{}{text}", Shape::TEXT));
    if name == MORE {
        return Shape::with_hash(&MORE_TYPES, hash);
    }
    // Each text that is kept has one.
    let named = || -> &'static NamedType { Box::leak(Box::new(NamedType { name, ty: &DataModelType::UnitStruct })) };
    Shape::with_hash(TYPES.lock().entry(name).or_insert_with(named), hash)
}

impl Serialize for Shape {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        (self.hash(), self.to_string()).serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Shape {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let (hash, text): (u64, String) = Deserialize::deserialize(deserializer)?;
        Ok(shape_of(&text, hash))
    }
}

/// How deeply what comes from another side may nest: each level takes some of the reader's stack.
const DEEPEST: usize = 48;

std::thread_local! {
    static DEPTH: Cell<usize> = const { Cell::new(0) };
}

/// Reads what stands inside another one of its kind, unless that is too deep.
pub(crate) fn nested<'de, T: Deserialize<'de>, D: Deserializer<'de>>(deserializer: D) -> Result<Box<T>, D::Error> {
    struct Out;
    impl Drop for Out {
        fn drop(&mut self) {
            DEPTH.set(DEPTH.get() - 1);
        }
    }
    DEPTH.set(DEPTH.get() + 1);
    let _out = Out;
    if DEPTH.get() > DEEPEST {
        return Err(serde::de::Error::custom("nests too deeply"));
    }
    T::deserialize(deserializer).map(Box::new)
}

/// For what would not fit together: its faults, each in words.
pub(crate) mod unfit {
    use super::{Box, Deserialize, Deserializer, Serialize, Serializer, String, ToString, Vec};
    use crate::runtime::{BuildError, BuildFault};

    pub(crate) fn serialize<S: Serializer>(error: &BuildError, serializer: S) -> Result<S::Ok, S::Error> {
        error.faults.iter().map(ToString::to_string).collect::<Vec<String>>().serialize(serializer)
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Box<BuildError>, D::Error> {
        let faults = Vec::<String>::deserialize(deserializer)?.into_iter().map(BuildFault::Told).collect();
        Ok(Box::new(BuildError { faults }))
    }
}

/// For fields of errors that name something known when they were compiled.
pub(crate) mod known {
    use super::{Deserialize, Deserializer, Serialize, Serializer, String, intern};

    pub(crate) fn serialize<S: Serializer>(text: &str, serializer: S) -> Result<S::Ok, S::Error> {
        text.serialize(serializer)
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<&'static str, D::Error> {
        Ok(intern(&String::deserialize(deserializer)?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_module_has_its_share_of_the_texts_that_are_kept() {
        let kept = (0..2 * SHARE).filter(|number| name("greedy", &format!("a text of its own {number}")).is_some());
        assert_eq!(kept.count(), SHARE);
        assert_eq!(name("modest", "a text of another's"), Some("a text of another's"));
        assert_eq!(name("greedy", "a text of another's"), Some("a text of another's"), "which is kept already");
    }
}
