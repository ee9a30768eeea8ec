//! What is data: on stdout, as tables for people and as JSON for programs.

use std::io::Write;

use comfy_table::{CellAlignment, Table};
use helix_host::{HealthView, InfoView, ModuleView, PermitView, StatsView, WhyView};
use serde::Serialize;
use serde_json::Value;

use super::talk::Ended;

/// Writes a line; whoever reads may have read enough.
pub fn line(text: &str) -> Result<(), Ended> {
    writeln!(anstream::stdout(), "{}", plain(text)).map_err(|_| Ended::told(0))
}

/// A text of whoever it is, with nothing in it that a terminal obeys.
pub fn plain(text: &str) -> std::borrow::Cow<'_, str> {
    let is_odd = |letter: char| letter.is_control() && !matches!(letter, '\n' | '\t');
    if text.contains(is_odd) { text.replace(is_odd, " ").into() } else { text.into() }
}

/// As JSON, on several lines.
pub fn json(value: &impl Serialize) -> Result<(), Ended> {
    line(&serde_json::to_string_pretty(value).unwrap_or_default())
}

/// Columns under their names, with two blanks between them.
fn table(head: &[&str], rows: impl IntoIterator<Item = Vec<String>>, right: &[usize]) -> Result<(), Ended> {
    let mut table = Table::new();
    table.load_style(comfy_table::presets::NOTHING).set_header(head.iter().copied()).add_rows(rows);
    for at in 0..head.len() {
        if let Some(column) = table.column_mut(at) {
            column.set_padding((0, 2));
            if right.contains(&at) {
                column.set_cell_alignment(CellAlignment::Right);
            }
        }
    }
    let text = table.to_string();
    text.lines().try_for_each(|text| line(text.trim_end()))
}

fn or_dash(text: String) -> String {
    if text.is_empty() { "-".into() } else { text }
}

/// What runs.
pub fn modules(modules: &[ModuleView]) -> Result<(), Ended> {
    let row = |module: &ModuleView| {
        let needs = module.needs.iter().map(|need| match &need.by {
            Some(by) => by.clone(),
            None => format!("{} (missing)", need.what.split(' ').next().unwrap_or_default()),
        });
        vec![
            module.name.clone(),
            module.version.clone(),
            module.place.clone(),
            module.state.clone(),
            module.generation.to_string(),
            module.events_a_second.map_or("-".into(), |rate| rate.to_string()),
            module.restarts.to_string(),
            or_dash(needs.collect::<Vec<_>>().join(", ")),
        ]
    };
    let head = ["MODULE", "VERSION", "PLACE", "STATE", "GEN", "EV/S", "RESTARTS", "NEEDS"];
    table(&head, modules.iter().map(row), &[])?;
    let down: Vec<&ModuleView> = modules.iter().filter(|module| module.is_down()).collect();
    match down.first() {
        Some(first) => line(&format!("{} of {} not running. Try: helix why {}", down.len(), modules.len(), first.name)),
        None => Ok(()),
    }
}

/// Why a module is as it is.
pub fn why(why: &WhyView) -> Result<(), Ended> {
    match &why.module {
        None => line(&format!("{} is not loaded", why.name))?,
        Some(module) => {
            let reason = why.reason.as_ref().map_or(String::new(), |reason| format!(": {reason}"));
            line(&format!("{} {} {}{reason}", module.name, module.version, module.state))?;
        }
    }
    why.needs.iter().try_for_each(|need| line(&format!("  {need}")))?;
    if !why.needed_by.is_empty() {
        line(&format!("  needed by {}", why.needed_by.join(", ")))?;
    }
    why.fix.as_ref().map_or(Ok(()), |fix| line(&format!("fix: {fix}")))
}

/// What the modules say of themselves.
pub fn health(all: &[HealthView]) -> Result<(), Ended> {
    let row = |health: &HealthView| {
        let state = if health.healthy { "healthy" } else { "unhealthy" };
        vec![health.module.clone(), state.into(), or_dash(health.reason.clone().unwrap_or_default())]
    };
    table(&["MODULE", "HEALTH", "REASON"], all.iter().map(row), &[])
}

/// What was published, and who heard it.
pub fn stats(stats: &StatsView) -> Result<(), Ended> {
    table(
        &["EVENT", "PUBLISHED"],
        stats.published.iter().map(|(event, count)| vec![event.clone(), count.to_string()]),
        &[1],
    )?;
    if !stats.listeners.is_empty() {
        line("")?;
        let row = |listener: &helix_host::ListenerView| {
            let mean = listener.seconds / listener.calls.max(1) as f64;
            vec![
                listener.name.clone(),
                listener.topic.clone(),
                listener.calls.to_string(),
                listener.failures.to_string(),
                format!("{:.1}us", mean * 1e6),
            ]
        };
        table(&["LISTENER", "HEARS", "CALLS", "FAILED", "MEAN"], stats.listeners.iter().map(row), &[2, 3, 4])?;
    }
    if !stats.links.is_empty() {
        line("")?;
        let time = |micros: Option<u64>| micros.map_or("-".into(), |micros| format!("<{micros}us"));
        let size = |bytes: u64| format!("{} KiB", bytes.div_ceil(1024));
        let row = |link: &helix_host::LinkView| {
            vec![
                link.module.clone(),
                link.conversations.to_string(),
                link.failures.to_string(),
                time(link.percentile(50)),
                time(link.percentile(99)),
                size(link.sent),
                size(link.received),
                link.waiting.to_string(),
                link.restarts.to_string(),
                link.memory.map_or("-".into(), size),
            ]
        };
        let head = ["PROCESS OF", "CALLS", "FAILED", "P50", "P99", "SENT", "GOT", "QUEUE", "RESTARTS", "MEMORY"];
        table(&head, stats.links.iter().map(row), &[1, 2, 3, 4, 5, 6, 7, 8, 9])?;
    }
    line("")?;
    line(&format!(
        "{} libraries mapped, {} KiB; what was replaced stays mapped",
        stats.libraries,
        stats.mapped_bytes / 1024
    ))
}

/// What modules in processes may do, and what they have done of it.
pub fn permissions(all: &[PermitView]) -> Result<(), Ended> {
    let mut rows = Vec::new();
    for permits in all {
        let used = permits.used.iter().map(|(permission, times)| (permission, "used", times));
        let denied = permits.denied.iter().map(|(permission, times)| (permission, "denied", times));
        let counted: Vec<_> = used.chain(denied).collect();
        let row = |permission: &str, state: &str, times: String| {
            vec![permits.module.clone(), permission.into(), state.into(), times]
        };
        for permission in &permits.asked {
            rows.push(row(permission, "asked", "-".into()));
        }
        match &permits.granted {
            Some(granted) => rows.extend(granted.iter().map(|permission| row(permission, "granted", "-".into()))),
            None => rows.push(row("*", "granted", "-".into())),
        }
        rows.extend(counted.into_iter().map(|(permission, state, times)| row(permission, state, times.to_string())));
    }
    if rows.is_empty() {
        return line("no module has a process of its own; only of those it is checked what they do");
    }
    table(&["MODULE", "PERMISSION", "IS", "TIMES"], rows, &[3])
}

/// What is known of a module.
pub fn info(info: &InfoView) -> Result<(), Ended> {
    let get = |key: &str| info.fields.iter().find(|(known, _)| known == key).map(|(_, value)| value.as_str());
    if let Some(name) = get("name") {
        line(&format!("{name} {}", get("version").unwrap_or_default()))?;
    }
    for (key, value) in info.fields.iter().filter(|(key, _)| !matches!(key.as_str(), "name" | "version" | "abi.type")) {
        line(&format!("  {key:<12} {value}"))?;
    }
    if let Some(file) = &info.file {
        line(&format!("  {:<12} {file}", "file"))?;
    }
    if let Some(build) = &info.build {
        line(&format!("  {:<12} {build}", "build"))?;
    }
    match &info.loaded {
        None => Ok(()),
        Some(module) => {
            line("in force:")?;
            if let Some(process) = &info.process {
                let sandbox = process.sandbox.join(", ");
                let sandbox = if sandbox.is_empty() { "no sandbox" } else { &sandbox };
                line(&format!("  {:<12} {}: {sandbox}", "process", process.pid))?;
                line(&format!("  {:<12} {} ms", "deadline", process.deadline_ms))?;
                line(&format!("  {:<12} {} events", "queue", process.queue))?;
            }
            modules(std::slice::from_ref(module))
        }
    }
}

/// A value that came back: text as it is, all else as JSON.
pub fn value(value: &Value, as_json: bool) -> Result<(), Ended> {
    match value {
        Value::Null if !as_json => Ok(()),
        Value::String(text) if !as_json => line(text),
        value => line(&value.to_string()),
    }
}
