//! A record as the metadata that it was written from.

use alloc::boxed::Box;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use super::{Record, RecordError};
use crate::info::{Dependency, ModuleFlags, ModuleInfo, ModuleKind};
use crate::version::{ModuleVersion, Requirement};

impl Record {
    /// The module's metadata. Its texts are kept for good, as those of a module are that is there.
    ///
    /// # Errors
    /// [`RecordError::Value`] when a key is missing or its value is none.
    pub fn info(&self) -> Result<ModuleInfo, RecordError> {
        let name = keep(self.get("name").ok_or_else(|| bad("name", "nothing", "the module's name"))?);
        if !crate::check_name(name) {
            return Err(bad("name", name, "lower-case words and digits joined by single `.`, `_`, `/` or `-`"));
        }
        let version = self.get("version").unwrap_or("nothing");
        let version = ModuleVersion::parse(keep(version)).map_err(|_| bad("version", version, "major.minor.patch"))?;
        let info = ModuleInfo::new(name);
        Ok(ModuleInfo {
            version,
            description: self.text("description"),
            author: self.text("author"),
            license: self.text("license"),
            kind: self.get("kind").map(kind).transpose()?,
            flags: self.get("flags").map_or(Ok(ModuleFlags::empty()), flags)?,
            provides: self.texts("provides"),
            features: self.texts("feature"),
            permissions: self.texts("permission"),
            ..info.requires(self.all("depends").map(dependency).collect::<Result<Vec<_>, _>>()?.leak())
        })
    }

    fn text(&self, key: &str) -> &'static str {
        self.get(key).map_or("", keep)
    }

    fn texts(&self, key: &str) -> &'static [&'static str] {
        self.all(key).map(keep).collect::<Vec<_>>().leak()
    }
}

fn keep(text: &str) -> &'static str {
    if text.is_empty() { "" } else { Box::leak(text.to_string().into_boxed_str()) }
}

fn bad(key: &'static str, found: &str, expected: &'static str) -> RecordError {
    RecordError::Value { key, found: String::from(found), expected }
}

fn kind(text: &str) -> Result<ModuleKind, RecordError> {
    let known = [ModuleKind::Core, ModuleKind::System, ModuleKind::Plugin, ModuleKind::App];
    let found = known.into_iter().find(|known| known.as_str() == text);
    found.ok_or_else(|| bad("kind", text, "`core`, `system`, `plugin` or `app`"))
}

fn flags(text: &str) -> Result<ModuleFlags, RecordError> {
    let flag = |name: &str| ModuleFlags::NAMES.iter().find(|(known, _)| *known == name).map(|(_, flag)| *flag);
    let flags = text.split(" | ").map(flag).collect::<Option<Vec<_>>>();
    let flags = flags.ok_or_else(|| bad("flags", text, "flags of a module, joined by ` | `"))?;
    Ok(flags.into_iter().collect())
}

/// `name requirement [feature,feature] optional`
fn dependency(text: &str) -> Result<Dependency, RecordError> {
    let fail = || bad("depends", text, "a name, a requirement, features in brackets, and perhaps `optional`");
    let (name, rest) = text.split_once(' ').ok_or_else(fail)?;
    let (rest, optional) = match rest.strip_suffix(" optional") {
        Some(rest) => (rest, true),
        None => (rest, false),
    };
    let (requirement, features) = match rest.strip_suffix(']').and_then(|rest| rest.split_once(" [")) {
        Some((requirement, features)) => (requirement, features.split(',').map(keep).collect::<Vec<_>>()),
        None => (rest, Vec::new()),
    };
    let requirement = Requirement::parse(keep(requirement)).map_err(|_| fail())?;
    Ok(Dependency { name: keep(name), requirement, features: features.leak(), optional })
}
