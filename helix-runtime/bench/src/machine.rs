//! Where and when it was measured, without the machine's name.

use std::process::Command;

/// The date, the compiler, the processor and the system, in one line.
#[must_use]
pub fn line() -> String {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let date = said_by("date", &["-u", "+%F"]);
    let rustc = said_by("rustc", &["--version"]);
    format!("{date}, {rustc}, {}, {cores} cores, {}", processor(), said_by("uname", &["-sm"]))
}

fn said_by(program: &str, arguments: &[&str]) -> String {
    let output = Command::new(program).args(arguments).output();
    let said = output.ok().and_then(|output| String::from_utf8(output.stdout).ok());
    said.map_or_else(|| format!("unknown {program}"), |said| said.trim().into())
}

fn processor() -> String {
    let told = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = told.lines().find_map(|line| line.strip_prefix("model name")?.split_once(": "));
    model.map_or_else(|| std::env::consts::ARCH.into(), |(_, model)| model.trim().into())
}
