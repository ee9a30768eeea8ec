//! What a host is configured to be, edition by edition: its file is watched, and modules hear what has changed.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::{Arc, OnceLock};
use std::time::SystemTime;

use helix_runtime::{BuildError, Config, ConfigLoaded};
use serde_json::Value;

use crate::config::Configuration;

/// What stands for a secret.
const REDACTED: &str = "***";

/// One edition of the configuration, and those that came after it. All of them stay: whoever was lent a value keeps it.
struct Edition {
    configuration: Configuration,
    next: OnceLock<Box<Edition>>,
}

/// The configuration as it is now.
pub(super) struct Configured {
    first: Edition,
    /// The modules that may come later, of whose keys the runtime is not told.
    later: Vec<&'static str>,
    defaults: Defaults,
}

/// What libraries' manifests say, the newest last. It stays, as editions do.
#[derive(Default)]
struct Defaults {
    module: String,
    values: Vec<(String, String)>,
    next: OnceLock<Box<Defaults>>,
}

impl Defaults {
    fn all(&self) -> impl Iterator<Item = &Self> {
        std::iter::successors(Some(self), |defaults| defaults.next.get().map(|next| &**next))
    }
}

/// What a host's file last looked like.
#[derive(Default)]
pub(super) struct Watched {
    seen: Option<(SystemTime, u64)>,
    text: Option<String>,
}

impl Configured {
    pub(super) fn new(configuration: Configuration, later: Vec<&'static str>) -> Self {
        Self { first: Edition { configuration, next: OnceLock::new() }, later, defaults: Defaults::default() }
    }

    fn last(&self) -> &Edition {
        std::iter::successors(Some(&self.first), |edition| edition.next.get().map(|next| &**next))
            .last()
            .unwrap_or(&self.first)
    }

    /// From here on a module is told these values of keys that are not configured. Gives those that it was told before.
    pub(super) fn note(&self, module: &str, values: Vec<(String, String)>) -> Vec<(String, String)> {
        let known = self.defaults.all().filter(|defaults| defaults.module == module).last();
        let before = known.map_or_else(Vec::new, |known| known.values.clone());
        if before == values {
            return before;
        }
        let mut new = Box::new(Defaults { module: module.into(), values, next: OnceLock::new() });
        while let Some(last) = self.defaults.all().last() {
            match last.next.set(new) {
                Ok(()) => break,
                // Another one was quicker.
                Err(again) => new = again,
            }
        }
        before
    }

    fn default_of(&self, module: &str, key: &str) -> Option<&str> {
        let defaults = self.defaults.all().filter(|defaults| defaults.module == module).last()?;
        defaults.values.iter().find(|(known, _)| known == key).map(|(_, value)| value.as_str())
    }

    /// The configuration with which the host has started.
    pub(super) fn first(&self) -> &Configuration {
        &self.first.configuration
    }

    pub(super) fn now(&self) -> &Configuration {
        &self.last().configuration
    }

    /// What whoever comes first is told: all sections, as if each had changed.
    pub(super) fn told(&self) -> ConfigLoaded {
        let sections = sections(self.now());
        event(sections.keys().map(|name| (*name).into()).collect(), self.now())
    }

    /// Takes a new edition. Nothing if it says what the last one says.
    pub(super) fn take(&self, configuration: Configuration) -> Option<ConfigLoaded> {
        let last = self.last();
        let (old, new) = (sections(&last.configuration), sections(&configuration));
        let names: BTreeSet<&str> = old.keys().chain(new.keys()).copied().collect();
        let mut changed: Vec<String> =
            names.into_iter().filter(|name| old.get(name) != new.get(name)).map(Into::into).collect();
        if last.configuration.host != configuration.host {
            changed.push("host".into());
        }
        if changed.is_empty() {
            return None;
        }
        let told = event(changed, &configuration);
        // Only the host's own thread takes editions, one after the other.
        let _ = last.next.set(Box::new(Edition { configuration, next: OnceLock::new() }));
        Some(told)
    }

    /// The file's new edition, if it has one. What cannot be read is told once, and changes nothing.
    pub(super) fn look(
        &self,
        watched: &mut Watched,
        check: impl Fn(&dyn Config) -> Result<(), BuildError>,
    ) -> Option<ConfigLoaded> {
        let path = self.first().file.as_deref()?;
        let Ok(found) = std::fs::metadata(path) else {
            if watched.seen.take().is_some() {
                log::warn!(target: "helix", "{}: found no such file any more; what was configured before stays", path.display());
            }
            return None;
        };
        let seen = Some((found.modified().ok()?, found.len()));
        if std::mem::replace(&mut watched.seen, seen) == seen {
            return None;
        }
        let text = read_text(path, &found).unwrap_or_else(|reason| {
            log::error!(target: "helix", "{}: {reason}; what was configured before stays", path.display());
            None
        })?;
        if watched.text.as_ref() == Some(&text) {
            return None;
        }
        let read = self.read(&text, path).map_err(|error| error.to_string()).and_then(|configuration| {
            let candidate = Candidate { configured: self, configuration: &configuration };
            check(&candidate).map_err(|fault| format!("{}: {fault}", path.display()))?;
            Ok(configuration)
        });
        watched.text = Some(text);
        match read {
            Ok(configuration) => self.take(configuration),
            Err(error) => {
                log::error!(target: "helix", "{error}; what was configured before stays");
                None
            }
        }
    }

    fn value_in<'a>(&'a self, configuration: &'a Configuration, module: &str, key: &str) -> Option<&'a str> {
        configuration.modules.value(module, key).or_else(|| self.default_of(module, key))
    }

    fn keys_of<'a>(&'a self, configuration: &'a Configuration) -> Vec<(&'a str, &'a str)> {
        let mut keys = configuration.modules.keys();
        keys.retain(|(module, _)| !self.later.contains(module));
        keys
    }

    fn read(&self, text: &str, path: &Path) -> Result<Configuration, crate::config::ConfigFault> {
        Ok(Configuration { file: Some(path.into()), ..Configuration::parse(text, path)? })
    }
}

/// The same, as a runtime takes it.
pub(super) struct Shown(pub(super) Arc<Configured>);

impl Config for Shown {
    fn value(&self, module: &str, key: &str) -> Option<&str> {
        self.0.value_in(self.0.now(), module, key)
    }

    fn keys(&self) -> Vec<(&str, &str)> {
        self.0.keys_of(self.0.now())
    }
}

/// An edition that may come next.
struct Candidate<'a> {
    configured: &'a Configured,
    configuration: &'a Configuration,
}

impl Config for Candidate<'_> {
    fn value(&self, module: &str, key: &str) -> Option<&str> {
        self.configured.value_in(self.configuration, module, key)
    }

    fn keys(&self) -> Vec<(&str, &str)> {
        self.configured.keys_of(self.configuration)
    }
}

/// How long the file can be, in bytes.
const LONGEST: u64 = 1 << 20;

/// The text of a file; nothing when it has gone meanwhile.
fn read_text(path: &Path, found: &std::fs::Metadata) -> Result<Option<String>, String> {
    if !found.is_file() {
        return Err("found something that is no file, expected one".into());
    }
    if found.len() > LONGEST {
        return Err(format!("found {} bytes, expected {LONGEST} at most", found.len()));
    }
    match std::fs::read_to_string(path) {
        Ok(text) => Ok(Some(text)),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error.to_string()),
    }
}

/// The keys of each section, with their values.
fn sections(configuration: &Configuration) -> BTreeMap<&str, BTreeMap<&str, &str>> {
    let mut sections: BTreeMap<&str, BTreeMap<&str, &str>> = BTreeMap::new();
    for (section, key) in configuration.modules.keys() {
        let value = configuration.modules.value(section, key).unwrap_or_default();
        sections.entry(section).or_default().insert(key, value);
    }
    sections
}

fn event(changed_sections: Vec<String>, configuration: &Configuration) -> ConfigLoaded {
    let shown = |section: &str, (key, value): (&str, &str)| {
        let is_secret = is_secret(key) || configuration.secrets.contains(&format!("{section}.{key}"));
        (key.to_string(), Value::from(if is_secret { REDACTED } else { value }))
    };
    let section = |(name, keys): (&str, BTreeMap<&str, &str>)| {
        (name.to_string(), Value::Object(keys.into_iter().map(|pair| shown(name, pair)).collect()))
    };
    let json = Value::Object(sections(configuration).into_iter().map(section).collect());
    ConfigLoaded { changed_sections, config_json: Some(json.to_string()) }
}

/// Whether a key is called as secrets are.
fn is_secret(key: &str) -> bool {
    const PARTS: [&str; 16] = [
        "secret",
        "passw",
        "passphrase",
        "token",
        "priv",
        "credential",
        "mnemonic",
        "apikey",
        "seedphrase",
        "xprv",
        "macaroon",
        "cookie",
        "authoriz",
        "bearer",
        "signature",
        "walletseed",
    ];
    const WORDS: [&str; 9] = ["key", "keys", "seed", "pin", "pass", "pwd", "auth", "wif", "otp"];
    let lower = key.to_lowercase();
    // `signingKey` has two words.
    let mut split = String::new();
    for letter in key.chars() {
        if letter.is_uppercase() {
            split.push('_');
        }
        split.extend(letter.to_lowercase());
    }
    PARTS.iter().any(|part| lower.contains(part)) || split.split(['_', '-', '.']).any(|word| WORDS.contains(&word))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(text: &str) -> Configuration {
        Configuration::parse(text, Path::new("node.toml")).unwrap()
    }

    #[test]
    fn what_changed_is_told_and_no_secret_is() {
        let first = "[host]\nsecrets = [\"mesh.motto\"]\n[mesh]\nttl = 3\nmotto = \"s3cret-motto\"\n[wallet]\napi_key = \"s3cret\"\n";
        let configured = Configured::new(parsed(first), Vec::new());
        let told = configured.told();
        assert_eq!(told.changed_sections, ["mesh", "wallet"]);
        let json = told.config_json.unwrap();
        assert_eq!(json, r#"{"mesh":{"motto":"***","ttl":"3"},"wallet":{"api_key":"***"}}"#);
        assert_eq!(configured.take(parsed(first)), None, "nothing has changed");

        let second = first.replace("ttl = 3", "ttl = 4").replace("\"s3cret\"", "\"other\"");
        let told = configured.take(parsed(&second)).unwrap();
        assert_eq!(told.changed_sections, ["mesh", "wallet"], "that a secret has changed is told, what to is not");
        assert!(!told.config_json.unwrap().contains("other"));
        assert_eq!(configured.now().modules.value("mesh", "ttl"), Some("4"));

        let told = configured.take(parsed(&second.replace("[host]", "[host]\nticks_a_second = 3"))).unwrap();
        assert_eq!(told.changed_sections, ["host"]);
        let told = configured.take(parsed("")).unwrap();
        assert_eq!(told.changed_sections, ["mesh", "wallet", "host"], "what has gone has changed");
    }

    #[test]
    fn names_of_secrets_are_known() {
        for key in [
            "password",
            "rpc_password",
            "auth_token",
            "api_key",
            "apikey",
            "wallet-seed",
            "private_address",
            "privkey",
            "passwd",
            "rpc_pass",
            "pwd",
            "seedphrase",
            "keys",
            "signing_keys",
            "auth",
            "authorization",
            "xprv",
            "wif",
            "macaroon",
            "cookie",
            "signingKey",
        ] {
            assert!(is_secret(key), "{key}");
        }
        for key in ["monkey", "ttl", "webhook_url", "node_id", "author", "passage", "pinned", "maxPeers"] {
            assert!(!is_secret(key), "{key}");
        }
    }
}
