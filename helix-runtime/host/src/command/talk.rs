//! What the command says to a person: on stderr, in color where that is wanted, and how it ends.

use std::io::{IsTerminal, Write};
use std::path::Path;

use anstream::{AutoStream, ColorChoice};
use clap::ValueEnum;
use clap::builder::styling::{AnsiColor, Style};
use helix_host::control::{Fault, NoHost};
use helix_host::{BuildFailure, ConfigFault, FileFault, HostFault};

/// When to use colors.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Color {
    Auto,
    Always,
    Never,
}

/// How a verb ends that does not end well.
#[derive(Debug)]
pub struct Ended {
    pub exit: u8,
    pub message: String,
    /// The command to try next.
    pub next: Option<String>,
}

impl Ended {
    pub fn usage(message: impl Into<String>) -> Self {
        Self { exit: 2, message: message.into(), next: None }
    }

    pub fn failed(message: impl Into<String>) -> Self {
        Self { exit: 1, message: message.into(), next: None }
    }

    /// Something was told already.
    pub fn told(exit: u8) -> Self {
        Self { exit, message: String::new(), next: None }
    }

    pub fn try_next(mut self, next: impl Into<String>) -> Self {
        self.next = Some(next.into());
        self
    }
}

impl From<HostFault> for Ended {
    fn from(fault: HostFault) -> Self {
        Self { exit: fault.exit(), message: fault.to_string(), next: None }
    }
}

impl From<FileFault> for Ended {
    fn from(fault: FileFault) -> Self {
        HostFault::from(fault).into()
    }
}

impl From<ConfigFault> for Ended {
    fn from(fault: ConfigFault) -> Self {
        HostFault::from(fault).into()
    }
}

impl From<BuildFailure> for Ended {
    fn from(failure: BuildFailure) -> Self {
        HostFault::from(failure).into()
    }
}

impl From<Fault> for Ended {
    fn from(Fault { exit, message }: Fault) -> Self {
        Self { exit, message, next: None }
    }
}

impl From<NoHost> for Ended {
    fn from(fault: NoHost) -> Self {
        Self { exit: 6, message: fault.to_string(), next: None }
    }
}

impl From<std::io::Error> for Ended {
    fn from(error: std::io::Error) -> Self {
        Self::failed(error.to_string())
    }
}

/// Says things to a person.
#[derive(Debug)]
pub struct Talk {
    pub quiet: bool,
    pub verbose: bool,
    choice: ColorChoice,
}

const BAD: Style = AnsiColor::Red.on_default().bold();
const GOOD: Style = AnsiColor::Green.on_default().bold();
const NEXT: Style = AnsiColor::Cyan.on_default();

impl Talk {
    pub fn new(quiet: bool, verbose: bool, color: Color) -> Self {
        let choice = match color {
            Color::Auto => ColorChoice::Auto,
            Color::Always => ColorChoice::Always,
            Color::Never => ColorChoice::Never,
        };
        choice.write_global();
        Self { quiet, verbose, choice }
    }

    fn stderr(&self) -> AutoStream<std::io::Stderr> {
        AutoStream::new(std::io::stderr(), self.choice)
    }

    /// What nobody reads is not an error.
    pub fn say(&self, text: &str) {
        if !self.quiet {
            let _ = writeln!(self.stderr(), "{text}");
        }
    }

    /// A step that is done, under a word for it.
    pub fn step(&self, word: &str, text: &str) {
        if !self.quiet {
            let _ = writeln!(self.stderr(), "{GOOD}{word:>10}{GOOD:#} {text}");
        }
    }

    /// What went wrong, and what to try.
    pub fn error(&self, text: &str, next: Option<&str>) {
        let mut stderr = self.stderr();
        let _ = writeln!(stderr, "{BAD}error:{BAD:#} {}", super::show::plain(text.trim_end()).replace('\n', "\n  "));
        if let Some(next) = next {
            let _ = writeln!(stderr, "  {NEXT}try:{NEXT:#} {next}");
        }
    }

    /// What another program says, as it is.
    pub fn pass(&self, bytes: &[u8]) {
        if !self.quiet {
            let _ = self.stderr().write_all(bytes);
        }
    }

    /// Whether a person sees it on a terminal.
    pub fn is_terminal(&self) -> bool {
        !self.quiet && std::io::stderr().is_terminal()
    }
}

/// A path as one writes it: below the current folder where it is there.
pub fn shown(path: &Path) -> String {
    let here = std::env::current_dir().unwrap_or_default();
    path.strip_prefix(&here).unwrap_or(path).display().to_string()
}
