//! Verbs that ask a running host.

use std::path::{Path, PathBuf};

use helix_host::control::{Client, Verb, default_socket};
use helix_host::{GraphView, HealthView, InfoView, ModuleView, PermitView, Reloaded, StatsView, WhyView, value};
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use super::talk::{Ended, Talk, shown};
use super::{graph, show};
use crate::Format;

/// Asks the host that is meant.
#[derive(Debug)]
pub struct Asker<'a> {
    pub talk: &'a Talk,
    pub socket: Option<&'a Path>,
    pub json: bool,
}

impl Asker<'_> {
    fn each(&self, verb: Verb, each: &mut dyn FnMut(Value)) -> Result<(), Ended> {
        let socket = self.socket.map_or_else(default_socket, PathBuf::from);
        Ok(Client::new(&socket)?.ask(verb, each)?)
    }

    /// The one thing that is answered.
    fn one<T: DeserializeOwned>(&self, verb: Verb) -> Result<(Value, T), Ended> {
        let mut answer = Value::Null;
        self.each(verb, &mut |value| answer = value)?;
        let typed = serde_json::from_value(answer.clone());
        let typed =
            typed.map_err(|error| Ended::failed(format!("the host answered what is not understood: {error}")))?;
        Ok((answer, typed))
    }

    fn read<T: DeserializeOwned>(&self, verb: Verb, show: impl FnOnce(&T) -> Result<(), Ended>) -> Result<(), Ended> {
        let (answer, typed) = self.one(verb)?;
        if self.json { show::json(&answer) } else { show(&typed) }
    }

    pub fn ls(&self) -> Result<(), Ended> {
        self.read(Verb::Ls, |modules: &Vec<ModuleView>| show::modules(modules))
    }

    pub fn why(&self, module: String) -> Result<(), Ended> {
        let (answer, why): (_, WhyView) = self.one(Verb::Why { module })?;
        if self.json { show::json(&answer) } else { show::why(&why) }?;
        if why.module.is_none() { Err(Ended::told(3)) } else { Ok(()) }
    }

    pub fn graph(&self, format: Format) -> Result<(), Ended> {
        self.read(Verb::Graph, |view: &GraphView| show::line(graph::draw(view, format).trim_end()))
    }

    pub fn health(&self) -> Result<(), Ended> {
        let (answer, health): (_, Vec<HealthView>) = self.one(Verb::Health)?;
        if self.json { show::json(&answer) } else { show::health(&health) }?;
        match health.iter().find(|health| !health.healthy) {
            Some(ill) => {
                Err(Ended::failed(format!("{} is not well", ill.module)).try_next(format!("helix why {}", ill.module)))
            }
            None => Ok(()),
        }
    }

    pub fn stats(&self) -> Result<(), Ended> {
        self.read(Verb::Stats, |stats: &StatsView| show::stats(stats))
    }

    pub fn permissions(&self) -> Result<(), Ended> {
        self.read(Verb::Permissions, |permits: &Vec<PermitView>| show::permissions(permits))
    }

    pub fn info(&self, module: String) -> Result<(), Ended> {
        self.read(Verb::Info { module }, |info: &InfoView| show::info(info))
    }

    pub fn call(&self, request: String, args: &[String]) -> Result<(), Ended> {
        let module = request.rsplit_once('.').map_or(request.clone(), |(module, _)| module.into());
        let verb = Verb::Call { request, args: given(args)? };
        let (_, value): (_, Value) = self.one(verb).map_err(|ended| match ended.exit {
            3 if ended.message.starts_with("no module") => ended.try_next("helix ls"),
            2 | 3 => ended.try_next(format!("helix info {module}")),
            _ => ended,
        })?;
        show::value(&value, self.json)
    }

    pub fn emit(&self, event: String, args: &[String]) -> Result<(), Ended> {
        let (answer, heard): (_, Map<String, Value>) =
            self.one(Verb::Emit { event: event.clone(), args: given(args)? })?;
        if self.json {
            show::json(&answer)?;
        } else {
            let count = |key: &str| heard.get(key).and_then(Value::as_u64).unwrap_or(0);
            let said = ["handled", "ignored", "deferred", "queued", "failed", "dropped"];
            let said = said.iter().filter(|key| count(key) > 0).map(|key| format!("{} {key}", count(key)));
            let said = said.collect::<Vec<_>>().join(", ");
            show::line(&if said.is_empty() {
                format!("{event}: nobody hears it")
            } else {
                format!("{event}: {said}")
            })?;
        }
        match heard.get("first_error").and_then(Value::as_str) {
            Some(error) => Err(Ended::failed(error)),
            None => Ok(()),
        }
    }

    pub fn events(&self, filter: Option<String>) -> Result<(), Ended> {
        let mut shown = Ok(());
        let mut each = |event: Value| {
            if shown.is_err() {
                return;
            }
            shown = if self.json {
                show::line(&event.to_string())
            } else if let Some(lost) = event.get("lost") {
                show::line(&format!("({lost} events were too many, and are not shown)"))
            } else {
                let name = event.get("event").and_then(Value::as_str).unwrap_or_default();
                show::line(&format!("{name} {}", event.get("value").unwrap_or(&Value::Null)))
            };
            if shown.is_err() {
                // Nobody reads any more.
                std::process::exit(0);
            }
        };
        self.each(Verb::Events { filter }, &mut each)
    }

    pub fn logs(&self, module: Option<String>, follow: bool) -> Result<(), Ended> {
        let mut each = |line: Value| {
            let text = |key: &str| line.get(key).and_then(Value::as_str).unwrap_or_default().to_string();
            let shown = if self.json {
                show::line(&line.to_string())
            } else if let Some(lost) = line.get("lost") {
                show::line(&format!("({lost} lines are gone)"))
            } else {
                show::line(&format!("{:<5} {}: {}", text("level").to_lowercase(), text("module"), text("text")))
            };
            if shown.is_err() {
                std::process::exit(0);
            }
        };
        self.each(Verb::Logs { module, follow }, &mut each)
    }

    fn steer(&self, verb: Verb, done: &str, module: &str) -> Result<(), Ended> {
        let helped = |ended: Ended| match ended.exit {
            3 => ended.try_next("helix ls"),
            4 => ended.try_next(format!("helix why {module}")),
            _ => ended,
        };
        let (answer, _): (_, Value) = self.one(verb).map_err(helped)?;
        if self.json {
            return show::json(&answer);
        }
        self.talk.step(done, module);
        Ok(())
    }

    pub fn load(&self, path: &Path) -> Result<(), Ended> {
        // The host may run in another folder.
        let path = std::fs::canonicalize(path).map_err(|error| {
            let message = format!("{}: {error}", path.display());
            Ended { exit: 3, message, next: Some("helix build".into()) }
        })?;
        let (answer, loaded): (_, Map<String, Value>) =
            self.one(Verb::Load { path: path.clone() }).map_err(|ended| {
                if ended.exit == 4 { ended.try_next(format!("helix info {}", shown(&path))) } else { ended }
            })?;
        if self.json {
            return show::json(&answer);
        }
        self.talk.step("loaded", loaded.get("loaded").and_then(Value::as_str).unwrap_or_default());
        Ok(())
    }

    pub fn start(&self, module: String) -> Result<(), Ended> {
        self.steer(Verb::Start { module: module.clone() }, "started", &module)
    }

    pub fn stop(&self, module: String) -> Result<(), Ended> {
        self.steer(Verb::Stop { module: module.clone() }, "stopped", &module)
    }

    pub fn unload(&self, module: String) -> Result<(), Ended> {
        self.steer(Verb::Unload { module: module.clone() }, "unloaded", &module)
    }

    pub fn reload(&self, module: String, path: Option<&Path>) -> Result<(), Ended> {
        let path = path
            .map(std::fs::canonicalize)
            .transpose()
            .map_err(|error| Ended { exit: 3, ..Ended::failed(error.to_string()) })?;
        let verb = Verb::Reload { module: module.clone(), path };
        let (answer, reloaded): (_, Reloaded) = self.one(verb).map_err(|ended| match ended.exit {
            3 => ended.try_next("helix ls"),
            _ => ended.try_next(format!("helix info {module}")),
        })?;
        if self.json { show::json(&answer) } else { show::line(&reloaded.summary()) }
    }
}

/// Arguments from the command line: `name=value` pairs, or one JSON value.
fn given(args: &[String]) -> Result<Value, Ended> {
    let pairs: Option<Vec<(&str, &str)>> =
        args.iter().map(|arg| arg.split_once('=').filter(|(name, _)| is_name(name))).collect();
    match (pairs, args) {
        (Some(pairs), _) => {
            let mut fields = Map::new();
            for (name, text) in pairs {
                if fields.insert(name.into(), value::from_text(text)).is_some() {
                    return Err(Ended::usage(format!("`{name}` is given twice: found two values, expected one")));
                }
            }
            Ok(Value::Object(fields))
        }
        (None, [one]) => Ok(value::from_text(one)),
        (None, _) => Err(Ended::usage(format!(
            "found {}, expected `name=value` for each argument, or one JSON value",
            args.iter().map(|arg| format!("`{arg}`")).collect::<Vec<_>>().join(" ")
        ))),
    }
}

fn is_name(text: &str) -> bool {
    !text.is_empty() && text.chars().all(|char| char.is_alphanumeric() || char == '_')
}
