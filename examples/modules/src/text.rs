//! The report as a page of text.

use std::fmt::{self, Write};
use std::io::{self, IsTerminal};

use crate::report::{Kind, Module, Report};

const BAR: usize = 16;

/// Renders the report; headings are bold where someone looks at them.
pub fn render(report: &Report) -> String {
    let bold = io::stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty());
    let mut page = Page { text: String::new(), bold };
    // Writing into a string does not fail.
    let _ = page.write(report);
    page.text
}

struct Page {
    text: String,
    bold: bool,
}

impl Page {
    fn write(&mut self, report: &Report) -> fmt::Result {
        self.modules(report)?;
        self.steps(report)?;
        self.tasks(report)?;
        self.events(report)?;
        self.end(report)
    }

    fn heading(&mut self, title: &str, note: &str) -> fmt::Result {
        let (on, off) = if self.bold { ("\x1b[1m", "\x1b[0m") } else { ("", "") };
        if !self.text.is_empty() {
            self.text.push('\n');
        }
        writeln!(self.text, "{on}{title}{off}  {note}")
    }

    fn modules(&mut self, report: &Report) -> fmt::Result {
        self.heading("MODULES", "in the order in which they start: each after what it needs")?;
        writeln!(self.text, "    {:<23}{:<7}{:<9}{:<11}needs", "module", "", "", "provides")?;
        for (at, module) in report.modules.iter().enumerate() {
            let Module { name, version, lockless, .. } = module;
            let needs = module.needs.iter().map(|need| {
                if need.name == need.from { need.name.clone() } else { format!("{} = {}", need.name, need.from) }
            });
            let provides = module.provides.join(", ");
            let provides = if provides.is_empty() { "-" } else { &provides };
            let lock = if *lockless { "no lock" } else { "lock" };
            let needs = match needs.collect::<Vec<_>>().join(", ") {
                none if none.is_empty() => "-".into(),
                needs => needs,
            };
            let at = at + 1;
            writeln!(self.text, "  {at} {name:<23}{version:<7}{lock:<9}{provides:<11}{needs}")?;
        }
        Ok(())
    }

    fn steps(&mut self, report: &Report) -> fmt::Result {
        let note = format!("at which second; {} s, with an interrupt every {} us", report.seconds, report.period_us);
        self.heading("WHAT HAPPENED", &note)?;
        for step in &report.steps {
            let kind = match step.kind {
                Kind::Event => "event",
                Kind::Request => "call",
            };
            let refused = if step.refused { "REFUSED: " } else { "" };
            let (at, what, outcome) = (step.at_ms / 1e3, &step.what, &step.outcome);
            writeln!(self.text, "  {at:6.3} {kind:<6}{what:<36}{refused}{outcome}")?;
        }
        Ok(())
    }

    fn tasks(&mut self, report: &Report) -> fmt::Result {
        let note = format!("times in ticks; a turn is {} of {}", report.time_slice_ticks, report.ticks);
        self.heading("TASKS", &note)?;
        writeln!(
            self.text,
            "  pid name    priority   {:<24}{:>6}{:>8}{:>9}{:>9}{:>7}  state",
            "share of all CPUs", "run", "waited", "blocked", "switched", "moved"
        )?;
        for task in &report.tasks {
            let full = (task.share / 100.0 * BAR as f64).round() as usize;
            let bar = "#".repeat(full.min(BAR)) + &".".repeat(BAR - full.min(BAR));
            writeln!(
                self.text,
                "  {:>3} {:<8}{:<11}{bar} {:>5.1}% {:>6}{:>8}{:>9}{:>9}{:>7}  {}",
                task.pid,
                task.name,
                task.priority,
                task.share,
                task.run,
                task.waited,
                task.blocked,
                task.switches,
                task.migrations,
                task.state
            )?;
        }
        let cpus = report.cpus.iter().map(|cpu| {
            let online = cpu.busy + cpu.idle;
            let share = cpu.busy as f64 / online.max(1) as f64 * 100.0;
            format!("{}: {share:.0}% busy of {online}, {} switches", cpu.cpu, cpu.switches)
        });
        writeln!(self.text, "  cpu {}", cpus.collect::<Vec<_>>().join(" | "))
    }

    fn events(&mut self, report: &Report) -> fmt::Result {
        self.heading("EVENTS", "who published them, and how many handlers acted")?;
        for event in &report.events {
            let missed = if event.missed > 0 { format!(", {} missed", event.missed) } else { String::new() };
            writeln!(
                self.text,
                "  {:<16}{:<30}{:>6} published {:>6} handled{missed}",
                event.topic, event.by, event.published, event.handled
            )?;
        }
        Ok(())
    }

    fn end(&mut self, report: &Report) -> fmt::Result {
        self.heading("JOURNAL", &format!("the last of {} events", report.journal.events))?;
        for entry in &report.last {
            let run = if entry.count > 1 { format!(" x {}", entry.count) } else { String::new() };
            let at = entry.at_ns as f64 / 1e9;
            writeln!(self.text, "  {:>3}. {at:6.3} {:<16}{}{run}", entry.number, entry.name, entry.detail)?;
        }
        let unwell = report.health.iter().filter(|health| !health.healthy).map(|health| health.module.as_str());
        let unwell = unwell.collect::<Vec<_>>().join(", ");
        let health = if unwell.is_empty() { "all modules are well".into() } else { format!("not well: {unwell}") };
        self.heading("HEALTH", &health)?;
        self.heading("STOPPED", &(report.stopped.join(" -> ") + " -> witness, which saw it"))
    }
}
