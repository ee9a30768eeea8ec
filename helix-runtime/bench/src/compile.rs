//! The rows of compile time, which a script and a test of the macros measure.

use std::path::Path;
use std::process::Command;

use crate::report::{Line, Verdict};

/// What counts as nothing: two builds that do the same differ by as much.
const NOTHING: f64 = 0.05;

/// How many bytes of expansion a handler may have.
const BYTES: u32 = 200;

/// Runs the script.
///
/// # Errors
/// It could not be run, or it failed.
pub fn lines(root: &Path) -> Result<Vec<Line>, String> {
    let output = Command::new(root.join(".ci/measure")).arg("5").env_remove("CARGO").output();
    let output = output.map_err(|error| error.to_string())?;
    if !output.status.success() {
        return Err(String::from_utf8_lossy(&output.stderr).into_owned());
    }
    let mut lines = parse(&String::from_utf8_lossy(&output.stdout));
    lines.extend(bytes(root)?);
    Ok(lines)
}

/// The bytes of expansion, which a test of the macros prints.
fn bytes(root: &Path) -> Result<Vec<Line>, String> {
    let mut test = Command::new("cargo");
    test.args(["test", "--quiet", "--locked", "-p", "helix-macros-backend", "--test", "size", "--", "--nocapture"]);
    let output = test.current_dir(root).env_remove("CARGO").output().map_err(|error| error.to_string())?;
    if !output.status.success() {
        return Err(String::from_utf8_lossy(&output.stderr).into_owned());
    }
    Ok(parse_bytes(&String::from_utf8_lossy(&output.stdout)))
}

/// Reads lines such as `event handler: 156 bytes`, each perhaps after the dot of a test that has passed.
fn parse_bytes(printed: &str) -> Vec<Line> {
    let line = |line: &str| {
        let (what, bytes) = line.trim_start_matches('.').strip_suffix(" bytes")?.split_once(": ")?;
        Some(Line {
            what: format!("bytes of expansion: {what}"),
            ours: bytes.into(),
            budget: format!("<= {BYTES}"),
            verdict: Verdict::of(bytes.parse::<u32>().ok()? <= BYTES),
            ..Line::default()
        })
    };
    printed.lines().filter_map(line).collect()
}

/// Reads the script's table: what, CPU seconds, the floor's, the figure, the budget.
fn parse(table: &str) -> Vec<Line> {
    let rows = table.lines().filter(|line| line.starts_with('|')).skip(2);
    let line = |row: &str| {
        let cells: Vec<&str> = row.trim_matches('|').split('|').map(str::trim).collect();
        let &[what, seconds, floor, figure, budget] = cells.as_slice() else { return None };
        Some(Line {
            what: format!("compile time: {what}"),
            ours: format!("{seconds} s"),
            floor: format!("{floor} s"),
            ratio: figure.into(),
            budget: if budget == "-" { String::new() } else { budget.into() },
            verdict: judge(figure, budget),
            ..Line::default()
        })
    };
    rows.filter_map(line).collect()
}

fn judge(figure: &str, budget: &str) -> Verdict {
    let number = |text: &str| text.trim_matches(|c: char| !c.is_ascii_digit() && c != '-').parse::<f64>().ok();
    match (number(figure), number(budget.trim_start_matches("<="))) {
        (Some(figure), Some(budget)) => Verdict::of(figure <= budget),
        (Some(figure), None) if budget == "nothing" => Verdict::of(figure <= NOTHING),
        _ => Verdict::None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_printed_size_becomes_a_line() {
        let lines = parse_bytes("running 2 tests\nevent handler: 156 bytes\n.request: 278 bytes\n.\n");
        assert_eq!(lines.len(), 2);
        assert_eq!((&*lines[0].what, &*lines[0].ours), ("bytes of expansion: event handler", "156"));
        assert_eq!([lines[0].verdict, lines[1].verdict], [Verdict::Met, Verdict::Missed]);
    }

    #[test]
    fn a_scripts_row_becomes_a_line() {
        let table = "rustc\n\n| what | CPU s | floor | figure | budget |\n| --- | --- | --- | --- | --- |\n\
            | a | 0.323 | 0.253 | 1.28x | <= 1.2x |\n| b | 0.2 | 0.2 | -0.002 s | nothing |\n\
            | c | 0.3 | 0.1 | +0.202 s | <= 0.3 s |\n| d | 2 | 1 | 2.00x | - |\n";
        let lines = parse(table);
        assert_eq!(lines[0].what, "compile time: a");
        assert_eq!(lines[0].ratio, "1.28x");
        let verdicts: Vec<Verdict> = lines.iter().map(|line| line.verdict).collect();
        assert_eq!(verdicts, [Verdict::Missed, Verdict::Met, Verdict::Met, Verdict::None]);
    }
}
