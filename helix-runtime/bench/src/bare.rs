//! The rows of the runtime without `std`, which a program of its own measures: here the feature is switched on.

use std::path::Path;
use std::process::Command;

use crate::report::Line;

/// Runs the program.
///
/// # Errors
/// It could not be run, or it failed.
pub fn lines(root: &Path) -> Result<Vec<Line>, String> {
    let mut bench = Command::new("cargo");
    bench.args(["bench", "--quiet", "--locked"]).current_dir(root.join("helix-runtime/bare")).env_remove("CARGO");
    let output = bench.output().map_err(|error| error.to_string())?;
    if !output.status.success() {
        return Err(String::from_utf8_lossy(&output.stderr).into_owned());
    }
    Ok(parse(&String::from_utf8_lossy(&output.stdout)))
}

/// Reads the program's table: which handlers, ns, the floor's, the ratio.
fn parse(table: &str) -> Vec<Line> {
    let rows = table.lines().filter(|line| line.starts_with("| `&"));
    let line = |row: &str| {
        let cells: Vec<&str> = row.trim_matches('|').split('|').map(str::trim).collect();
        let &[handler, ours, floor, ratio] = cells.as_slice() else { return None };
        let what = format!("publish without `std`, {handler} handlers: 1");
        Some(Line { what, ours: ours.into(), floor: floor.into(), ratio: ratio.into(), ..Line::default() })
    };
    rows.filter_map(line).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_of_the_program_becomes_a_line() {
        let table = "\nrunning 0 tests\n\n| publish | ns | by hand | ratio |\n|---|--:|--:|--:|\n| `&self` | 20.9 | 3.8 | 5.5x |\n";
        let lines = parse(table);
        assert_eq!(lines.len(), 1);
        assert_eq!(lines[0].what, "publish without `std`, `&self` handlers: 1");
        assert_eq!((&*lines[0].ours, &*lines[0].floor, &*lines[0].ratio), ("20.9", "3.8", "5.5x"));
    }
}
