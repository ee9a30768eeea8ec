//! What is shown and proved, one at a boot. The kernel's command line is `SCENARIO [CASE] [counted]`; `demo` where it is
//! empty, and `counted` where the machine's clock counts instructions.

mod deadlock;
mod demo;
mod fault;
mod latency;
mod misuse;
mod oom;
mod reentrant;
mod storm;
mod swap;
mod table;
mod ticks;

use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::fmt;

use crate::kernel::Kernel;
use crate::say;

/// Why a scenario did not find what it promises.
#[derive(Debug)]
pub struct Failure(String);

impl Failure {
    /// A failure for that reason.
    pub fn new(why: impl Into<String>) -> Self {
        Self(why.into())
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl<E: core::error::Error> From<E> for Failure {
    fn from(error: E) -> Self {
        Self(error.to_string())
    }
}

/// Fails unless a count is what it should be.
fn expect<T: PartialEq + fmt::Debug>(what: &str, found: T, expected: T) -> Result<(), Failure> {
    if found == expected {
        return Ok(());
    }
    Err(Failure(format!("{what}: found {found:?}, expected {expected:?}")))
}

/// Fails with that unless it holds.
fn ensure(holds: bool, otherwise: &str) -> Result<(), Failure> {
    if holds { Ok(()) } else { Err(Failure::new(otherwise)) }
}

/// What can be played: its name, its cases (the empty one is none), and how.
type Scenario = (&'static str, &'static [&'static str], fn(Kernel, &str) -> Result<(), Failure>);

const SCENARIOS: [Scenario; 11] = [
    ("demo", &[""], demo::play),
    ("ticks", &[""], ticks::play),
    ("storm", &[""], storm::play),
    ("deadlock", &["", "raw"], deadlock::play),
    ("reentrant", &[""], reentrant::play),
    ("swap", &[""], swap::play),
    ("latency", &[""], latency::play),
    ("oom", &["", "fatal", "and-panic"], oom::play),
    ("panic", &[""], fault::play),
    ("fault", &["stack", "null", "code", "constant", "data", "run-stack", "run-heap"], fault::play),
    ("misuse", &["alloc", "lock", "print", "publish", "twice", "log"], misuse::play),
];

/// Boots, and plays the scenario that the command line names.
pub fn run(command_line: &str) -> Result<(), Failure> {
    let (flags, words): (Vec<_>, Vec<_>) = command_line.split_whitespace().partition(|word| *word == "counted");
    if !flags.is_empty() {
        table::time_is_counted();
    }
    let (scenario, case) = match words[..] {
        [] => ("demo", ""),
        [scenario] => (scenario, ""),
        [scenario, case] => (scenario, case),
        _ => return Err(Failure(format!("`{}` is more than a scenario and a case", words.join(" ")))),
    };
    let Some((_, cases, play)) = SCENARIOS.iter().find(|(name, ..)| *name == scenario) else {
        let names: Vec<_> = SCENARIOS.iter().map(|(name, ..)| *name).collect();
        return Err(Failure(format!("no scenario is called `{scenario}`; there are {}", names.join(", "))));
    };
    if !cases.contains(&case) {
        return Err(Failure(format!("`{scenario}` has no case `{case}`; it has {cases:?}")));
    }
    let kernel = Kernel::boot()?;
    play(kernel, case)?;
    say!("DONE: {}", words.join(" "));
    Ok(())
}
