//! How a manifest is read: every fault is noted with its place, and reading goes on.

use std::collections::BTreeSet;
use std::ops::Range;
use std::time::Duration;

use helix_runtime::expected_value;
use helix_runtime::modinfo::Record;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::{Limits, Manifest, ManifestLine};
use crate::process::covers;
use crate::trust;

/// A manifest that is being read.
struct Reading<'a> {
    text: &'a str,
    record: &'a Record,
    manifest: Manifest,
    faults: Vec<(usize, String)>,
}

type Value<'a> = Spanned<DeValue<'a>>;

pub(super) fn read(text: &str, record: &Record) -> Result<Manifest, Vec<ManifestLine>> {
    let (table, syntax) = DeTable::parse_recoverable(text);
    let mut reading = Reading { text, record, manifest: Manifest::default(), faults: Vec::new() };
    for error in &syntax {
        reading.faults.push((error.span().map_or(0, |span| span.start), error.message().into()));
    }
    // What does not end is missed once for each that has begun.
    let mut told = BTreeSet::new();
    reading.faults.retain(|(at, fault)| {
        told.insert((text[..text.floor_char_boundary(*at)].matches('\n').count(), fault.clone()))
    });
    // What is wrong besides may come of that.
    if syntax.is_empty() {
        reading.whole(table.get_ref());
    }
    if reading.faults.is_empty() {
        return Ok(reading.manifest);
    }
    let mut faults: Vec<ManifestLine> = reading.faults.iter().map(|(at, fault)| reading.place(*at, fault)).collect();
    faults.sort();
    Err(faults)
}

fn shown(value: &DeValue<'_>) -> String {
    match value {
        DeValue::String(text) => format!("{:?}", text.chars().take(40).collect::<String>()),
        DeValue::Integer(number) => number.as_str().into(),
        DeValue::Float(number) => number.as_str().into(),
        DeValue::Boolean(flag) => flag.to_string(),
        other => format!("a value of type {}", other.type_str()),
    }
}

/// `one of ..`, and the one that was meant, if it is known.
fn one_of(found: &str, known: &[&str]) -> String {
    let near = known.iter().filter(|known| strsim::damerau_levenshtein(found, known) <= 2);
    let near = near.min_by_key(|known| strsim::damerau_levenshtein(found, known));
    let meant = near.map_or(String::new(), |near| format!("; did you mean `{near}`?"));
    match known {
        [] => "none".into(),
        _ => format!("one of `{}`{meant}", known.join("`, `")),
    }
}

impl<'a> Reading<'a> {
    fn place(&self, at: usize, fault: &str) -> ManifestLine {
        let before = &self.text[..self.text.floor_char_boundary(at)];
        let line = before.matches('\n').count() + 1;
        let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
        ManifestLine { line, column, text: fault.into() }
    }

    fn fault(&mut self, span: Range<usize>, text: String) {
        self.faults.push((span.start, text));
    }

    fn wrong(&mut self, value: &Value<'_>, expected: &str) {
        self.fault(value.span(), format!("found {}, expected {expected}", shown(value.get_ref())));
    }

    /// The keys of a table, or a fault where it is none.
    fn table<'t>(&mut self, value: &'t Value<'a>, name: &str) -> Option<&'t DeTable<'a>> {
        let table = value.get_ref().as_table();
        if table.is_none() {
            self.wrong(value, &format!("a table, [{name}]"));
        }
        table
    }

    fn whole(&mut self, table: &DeTable<'a>) {
        for (key, value) in table {
            let name: &str = key.get_ref();
            match name {
                "module" => drop(self.table(value, name).map(|table| self.module(table, value.span()))),
                "config" => drop(self.table(value, name).map(|table| self.config(table))),
                "limits" => drop(self.table(value, name).map(|table| self.limits(table))),
                "signatures" => drop(self.table(value, name).map(|table| self.signatures(table))),
                _ => self.unknown("table", key, &["config", "limits", "module", "signatures"]),
            }
        }
        if !table.contains_key("module") {
            self.fault(0..0, "found no table [module], expected one with `name` and `version`".into());
        }
    }

    fn unknown<K: AsRef<str>>(&mut self, what: &str, key: &Spanned<K>, known: &[&str]) {
        let name = key.get_ref().as_ref();
        self.fault(key.span(), format!("found the {what} `{name}`, expected {}", one_of(name, known)));
    }

    fn module(&mut self, table: &DeTable<'a>, span: Range<usize>) {
        const KNOWN: [&str; 6] = ["author", "description", "license", "name", "permissions", "version"];
        for (key, value) in table {
            let name: &str = key.get_ref();
            match name {
                "permissions" => self.permissions(value),
                _ if KNOWN.contains(&name) => {
                    let expected = self.record.get(name).unwrap_or_default().to_string();
                    if value.get_ref().as_str() != Some(expected.as_str()) {
                        self.wrong(value, &format!("{expected:?}, which is what the library says"));
                    }
                }
                _ => self.unknown("key", key, &KNOWN),
            }
        }
        for name in ["name", "version"] {
            if !table.contains_key(name) {
                let expected = self.record.get(name).unwrap_or_default();
                let text = format!("found no key `{name}`, expected `{name} = {expected:?}`");
                self.fault(span.clone(), text);
            }
        }
    }

    fn permissions(&mut self, value: &Value<'a>) {
        let Some(items) = value.get_ref().as_array() else {
            return self.wrong(value, "a list of permissions such as [\"call/node\"]");
        };
        let asked: Vec<&str> = self.record.all("permission").collect();
        let mut permissions = Vec::new();
        for item in items {
            match item.get_ref().as_str() {
                Some(text) if asked.iter().any(|whole| covers(whole, text)) => permissions.push(text.into()),
                Some(text) => {
                    let expected = one_of(text, &asked);
                    self.fault(
                        item.span(),
                        format!("found the permission `{text}`, expected of what the library asks for {expected}"),
                    );
                }
                None => self.wrong(item, "a permission such as \"call/node\""),
            }
        }
        self.manifest.permissions = Some(permissions);
    }

    fn config(&mut self, table: &DeTable<'a>) {
        let declared: Vec<(&str, &str)> = self.record.all("config").filter_map(|line| line.split_once(':')).collect();
        let known: Vec<&str> = declared.iter().map(|(key, _)| *key).collect();
        for (key, value) in table {
            let name: &str = key.get_ref();
            let text = match value.get_ref() {
                DeValue::String(text) => text.to_string(),
                DeValue::Integer(number) if number.radix() == 10 => number.as_str().replace('_', ""),
                DeValue::Float(number) => number.as_str().into(),
                DeValue::Boolean(flag) => flag.to_string(),
                _ => {
                    self.wrong(value, "text, a decimal number, true or false");
                    continue;
                }
            };
            let Some((_, rest)) = declared.iter().find(|(key, _)| *key == name) else {
                self.unknown("key", key, &known);
                continue;
            };
            match expected_value(rest.split('=').next().unwrap_or_default().trim(), &text) {
                Some(expected) => self.wrong(value, expected),
                None => self.manifest.config.push((name.into(), text)),
            }
        }
    }

    fn limits(&mut self, table: &DeTable<'a>) {
        let mut limits = Limits::default();
        for (key, value) in table {
            let name: &str = key.get_ref();
            let number = value.get_ref().as_integer().filter(|number| number.radix() == 10);
            let number = number.and_then(|number| number.as_str().replace('_', "").parse::<u32>().ok());
            let number = number.filter(|number| *number > 0).map(u64::from);
            match name {
                "memory_mib" => limits.memory = number.map(|mib| mib << 20),
                "files" => limits.files = number,
                "cpu_seconds" => limits.cpu = number,
                "deadline_ms" => limits.deadline = number.map(Duration::from_millis),
                _ => {
                    self.unknown("key", key, &["cpu_seconds", "deadline_ms", "files", "memory_mib"]);
                    continue;
                }
            }
            if number.is_none() {
                self.wrong(value, "a whole number from 1 to 4294967295");
            }
        }
        self.manifest.limits = limits;
    }

    fn signatures(&mut self, table: &DeTable<'a>) {
        for (key, value) in table {
            let public = key.get_ref().parse();
            if public.is_err() {
                let found: String = key.get_ref().chars().take(24).collect();
                self.fault(key.span(), format!("found `{found}`, expected a public key of 64 hexadecimal digits"));
            }
            match (public, value.get_ref().as_str().and_then(trust::signature)) {
                (Ok(public), Some(signature)) => self.manifest.signatures.push((public, signature)),
                (_, Some(_)) => {}
                (_, None) => self.wrong(value, "a signature of 128 hexadecimal digits"),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn record() -> Record {
        let fields = "name=mesh\0version=2.0.0\0license=MIT\0permission=call/node\0permission=publish/mesh\0\
                      config=ttl: u32 = 3\0config=motto: String = \"\"\0";
        fields.split('\0').filter_map(|field| field.split_once('=')).collect()
    }

    #[test]
    fn all_that_is_wrong_is_told_with_its_place() {
        let text = "[module]\nname = \"mash\"\nlicence = \"MIT\"\npermissions = [\"call/node.tip\", \"call/walet\", 3]\n\
                    [config]\nttl = -1\nmoto = \"on\"\n[limits]\nmemory_mib = 0\nfile = 3\n[signatures]\nabc = \"def\"\n[limit]\n";
        let faults = read(text, &record()).unwrap_err();
        let lines: Vec<String> =
            faults.iter().map(|fault| format!("{}:{}: {}", fault.line, fault.column, fault.text)).collect();
        let expected = [
            "1:1: found no key `version`, expected `version = \"2.0.0\"`",
            "2:8: found \"mash\", expected \"mesh\", which is what the library says",
            "3:1: found the key `licence`, expected one of `author`, `description`, `license`, `name`, `permissions`, `version`; did you mean `license`?",
            "4:33: found the permission `call/walet`, expected of what the library asks for one of `call/node`, `publish/mesh`",
            "4:47: found 3, expected a permission such as \"call/node\"",
            "6:7: found -1, expected a whole number from 0 to 4294967295",
            "7:1: found the key `moto`, expected one of `ttl`, `motto`; did you mean `motto`?",
            "9:14: found 0, expected a whole number from 1 to 4294967295",
            "10:1: found the key `file`, expected one of `cpu_seconds`, `deadline_ms`, `files`, `memory_mib`; did you mean `files`?",
            "12:1: found `abc`, expected a public key of 64 hexadecimal digits",
            "12:7: found \"def\", expected a signature of 128 hexadecimal digits",
            "13:2: found the table `limit`, expected one of `config`, `limits`, `module`, `signatures`; did you mean `limits`?",
        ];
        assert_eq!(lines, expected);
    }

    #[test]
    fn several_faults_of_syntax_are_told_together() {
        let faults = read("[module\nname = \nversion = \"2.0.0\" x\n", &record()).unwrap_err();
        assert!(faults.len() >= 2, "{faults:?}");
        assert_eq!(faults[0].line, 1);
        let faults = read(&format!("[module]\nname = {}\n", "[".repeat(90)), &record()).unwrap_err();
        assert!(faults.len() < 5, "{faults:?}");
    }

    #[test]
    fn what_is_right_is_read() {
        let text = "[module]\nname = \"mesh\"\nversion = \"2.0.0\"\npermissions = [\"call/node.tip\"]\n[config]\nttl = 1_0\nmotto = \"on\"\n\
                    [limits]\nmemory_mib = 32\ncpu_seconds = 9\ndeadline_ms = 500\n";
        let manifest = read(text, &record()).unwrap();
        assert_eq!(manifest.config, [("motto".into(), "on".into()), ("ttl".to_string(), "10".to_string())]);
        assert_eq!(manifest.permissions, Some(vec!["call/node.tip".into()]));
        let limits =
            Limits { memory: Some(32 << 20), files: None, cpu: Some(9), deadline: Some(Duration::from_millis(500)) };
        assert_eq!(manifest.limits, limits);
        let mut placing = crate::process::Placing::default();
        manifest.hold(&mut placing);
        assert_eq!(placing.grant, Some(vec!["call/node.tip".into()]), "without a grant of the host's");
    }

    proptest! {
        #[test]
        fn whatever_stands_there_is_read_or_told_with_a_place_in_it(text in "(\\[(module|config|limits|signatures)\\]|[a-z_]{1,9} = ([0-9]{1,4}|\"[a-zö/]{0,9}\"|\\[\\])|.{0,12})(\n(\\[(module|config|limits)\\]|(name|version|ttl|files) = ([0-9]{1,4}|\"[a-z2.0]{0,5}\"|\\{\\})|.{0,8})){0,8}") {
            if let Err(faults) = read(&text, &record()) {
                prop_assert!(!faults.is_empty());
                for fault in faults {
                    let line = text.split('\n').nth(fault.line - 1);
                    prop_assert!(line.is_some_and(|line| fault.column <= line.chars().count() + 1), "{fault:?} of {text:?}");
                }
            }
        }
    }
}
