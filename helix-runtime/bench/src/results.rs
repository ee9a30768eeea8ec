//! What a full run leaves behind: `RESULTS.md`, the plots beside it, and the line in the README that says when.

use std::error::Error;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use crate::plots::{Drawn, draw};
use crate::report::{Line, Verdict};
use crate::{designs, machine};

/// The kinds of budgets, and what the names of their lines begin with.
const KINDS: [(&str, &[&str]); 4] = [
    ("of publishing and calling", &["publish", "request"]),
    ("of channels", &["channel"]),
    ("of heap allocations", &["allocations"]),
    ("of compile time and expansion", &["compile time", "bytes of expansion"]),
];

/// What the README's line begins with.
const MEASURED: &str = "Measured on ";

/// All that was measured.
#[derive(Debug, Default)]
pub struct Results {
    /// The table.
    pub lines: Vec<Line>,
    /// A sentence for each row that others were measured in.
    pub sentences: Vec<String>,
    /// The plots, with their names.
    pub plots: Vec<(&'static str, Drawn)>,
}

/// The workspace.
#[must_use]
pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

impl Results {
    /// How many budgets are kept, of how many, of each kind.
    #[must_use]
    pub fn verdict(&self) -> String {
        let of_kind = |(kind, begins): &(&str, &[&str])| {
            let lines = self.lines.iter().filter(|line| begins.iter().any(|begin| line.what.starts_with(begin)));
            let count = |verdict| lines.clone().filter(|line| line.verdict == verdict).count();
            let (met, missed) = (count(Verdict::Met), count(Verdict::Missed));
            (met + missed > 0).then(|| format!("{met} of {} {kind}", met + missed))
        };
        let kinds: Vec<String> = KINDS.iter().filter_map(of_kind).collect();
        format!("Budgets met: {}", if kinds.is_empty() { "none was asked for".into() } else { kinds.join(", ") })
    }

    /// Writes them.
    ///
    /// # Errors
    /// A file could not be written.
    pub fn write(&self) -> Result<(), Box<dyn Error>> {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR"));
        fs::create_dir_all(folder.join("plots"))?;
        for (name, drawn) in &self.plots {
            draw(&folder.join(format!("plots/{name}.svg")), drawn)?;
        }
        let when = machine::line();
        fs::write(folder.join("RESULTS.md"), self.markdown(&when)?)?;
        let readme = root().join("README.md");
        fs::write(&readme, stamped(&fs::read_to_string(&readme)?, &when, &self.verdict()))?;
        Ok(())
    }

    fn markdown(&self, when: &str) -> Result<String, Box<dyn Error>> {
        let mut text = format!("# What it costs\n\n{MEASURED}{when}. {}.\n\n{HOW}\n{}\n", self.verdict(), Line::head());
        for line in &self.lines {
            writeln!(text, "{line}")?;
        }
        writeln!(text, "\n## Beside others\n\nNone of them does all that ours does; each does the row's work.\n")?;
        for sentence in &self.sentences {
            writeln!(text, "{sentence}")?;
        }
        writeln!(text, "\n## Other designs, and what limits ours\n\n{}", designs::LESSONS)?;
        writeln!(text, "## As it grows")?;
        for (name, drawn) in &self.plots {
            writeln!(text, "\n![{}](plots/{name}.svg)\n\n{}", drawn.grows, drawn.sentence())?;
        }
        Ok(text)
    }
}

const HOW: &str = "\
`cargo bench` writes this page; `cargo bench -- NAME` runs the rows with NAME in them, `cargo bench -- --quick` all of them for
a look.

The floor is what one writes by hand for the case alone: a table of functions, an indirect call, a `match`, the bare queue.
It makes the same calls of the same opaque functions, and a test counts them. In each of 40 rounds (20 for a plot's points, 5 for
compile time) every contender of a row is timed once, in an order that changes; figures are medians of the rounds, a ratio is the median of the rounds' ratios, and a spread is what
the middle half lies between. Lines that begin with a dash are others that do the work of the row above.
";

/// The README with its line as it is now.
fn stamped(readme: &str, when: &str, verdict: &str) -> String {
    let line = |line: &str| match line.starts_with(MEASURED) {
        true => format!("{MEASURED}{when}: {verdict}.\n"),
        false => format!("{line}\n"),
    };
    readme.lines().map(line).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_line_of_the_readme_changes() {
        assert_eq!(stamped("a\nMeasured on x\nb\n", "y", "z"), "a\nMeasured on y: z.\nb\n");
        let readme = fs::read_to_string(root().join("README.md")).unwrap();
        assert_eq!(readme.lines().filter(|line| line.starts_with(MEASURED)).count(), 1);
    }
}
