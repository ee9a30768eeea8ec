//! The table: its lines, on the screen and in the file.

use std::fmt;

use crate::measure::{Measured, Quartiles};

/// Whether a budget is kept.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Verdict {
    /// There is no budget.
    #[default]
    None,
    /// It is.
    Met,
    /// It is not.
    Missed,
}

impl Verdict {
    /// Of a budget.
    #[must_use]
    pub fn of(is_met: bool) -> Self {
        if is_met { Self::Met } else { Self::Missed }
    }
}

/// One line of the table.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Line {
    /// What is measured.
    pub what: String,
    /// Nanoseconds for one operation, unless it says otherwise.
    pub ours: String,
    /// Between what the middle half of the rounds lies.
    pub spread: String,
    /// The same of the floor.
    pub floor: String,
    /// How many times the floor, with its spread.
    pub ratio: String,
    /// How many times it may be.
    pub budget: String,
    /// Whether it is.
    pub verdict: Verdict,
}

impl Line {
    /// Of what was measured.
    #[must_use]
    pub fn measured(what: String, measured: Measured, floor: Option<Measured>, budget: Option<f64>) -> Self {
        Self {
            what,
            ours: short(measured.ns.median),
            spread: range(measured.ns, short),
            floor: floor.map(|floor| short(floor.ns.median)).unwrap_or_default(),
            ratio: format!("{:.2}x ({})", measured.ratio.median, range(measured.ratio, |ratio| format!("{ratio:.2}"))),
            budget: budget.map(|budget| format!("<= {budget}x")).unwrap_or_default(),
            verdict: budget.map(|budget| Verdict::of(measured.ratio.median <= budget)).unwrap_or_default(),
        }
    }

    /// Of a number of allocations, which must be none.
    #[must_use]
    pub fn allocations(what: &str, count: u64) -> Self {
        Self {
            what: format!("allocations in 1000 operations: {what}"),
            ours: count.to_string(),
            budget: "0".into(),
            verdict: Verdict::of(count == 0),
            ..Self::default()
        }
    }

    /// What stands over the lines.
    #[must_use]
    pub fn head() -> String {
        let head = Self {
            what: "what".into(),
            ours: "ns".into(),
            spread: "spread".into(),
            floor: "floor ns".into(),
            ratio: "ratio (spread)".into(),
            budget: "budget".into(),
            verdict: Verdict::None,
        };
        let rule = WIDTHS.map(|width| "-".repeat(width)).join(" | ");
        format!("{head}\n| {rule} |")
    }
}

const WIDTHS: [usize; 7] = [76, 8, 16, 8, 23, 8, 10];

impl fmt::Display for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let verdict = match self.verdict {
            Verdict::None => "",
            Verdict::Met => "met",
            Verdict::Missed => "**missed**",
        };
        let cells = [&self.what, &self.ours, &self.spread, &self.floor, &self.ratio, &self.budget, verdict];
        f.write_str("|")?;
        for (cell, width) in cells.iter().zip(WIDTHS) {
            write!(f, " {cell:width$} |")?;
        }
        Ok(())
    }
}

/// Three digits or so.
#[must_use]
pub fn short(number: f64) -> String {
    let digits = match number {
        ..10.0 => 2,
        ..100.0 => 1,
        _ => 0,
    };
    format!("{number:.digits$}")
}

fn range(quartiles: Quartiles, show: impl Fn(f64) -> String) -> String {
    format!("{} to {}", show(quartiles.low), show(quartiles.high))
}

/// Who does a row's work faster than ours, and who does not, in a sentence. The floor comes first, ours second.
#[must_use]
pub fn compared(what: &str, measured: &[(&str, Measured)]) -> String {
    let ns = |measured: &Measured| short(measured.ns.median);
    let [(floor, its), (_, ours), others @ ..] = measured else { return String::new() };
    let (faster, slower): (Vec<_>, Vec<_>) = others.iter().partition(|(_, other)| other.ns.median < ours.ns.median);
    let list = |those: Vec<&(&str, Measured)>| match those.as_slice() {
        [] => "nobody".to_string(),
        those => those.iter().map(|(name, other)| format!("{name} ({} ns)", ns(other))).collect::<Vec<_>>().join(", "),
    };
    let (faster, slower) = (list(faster), list(slower));
    let (ours, its) = (ns(ours), ns(its));
    format!(
        "- {what}: ours takes {ours} ns, the floor ({floor}) {its} ns. Faster than ours: {faster}. Slower: {slower}."
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn exactly(ns: f64, ratio: f64) -> Measured {
        Measured { ns: Quartiles::of(vec![ns]), ratio: Quartiles::of(vec![ratio]) }
    }

    #[test]
    fn a_budget_is_met_by_the_median_of_the_ratios() {
        let line = |ratio| Line::measured("a".into(), exactly(9.0, ratio), Some(exactly(6.0, 1.0)), Some(1.5));
        assert_eq!(line(1.5).verdict, Verdict::Met);
        assert_eq!(line(1.51).verdict, Verdict::Missed);
        assert_eq!(line(1.5).ratio, "1.50x (1.50 to 1.50)");
        assert_eq!(line(1.5).budget, "<= 1.5x");
        assert_eq!(Line::allocations("a", 1).verdict, Verdict::Missed);
    }

    #[test]
    fn the_faster_are_named_even_if_they_are_not_ours() {
        let floor = ("table", exactly(4.0, 1.0));
        let others = [floor, ("ours", exactly(10.0, 2.0)), ("quick", exactly(5.0, 1.0)), ("slow", exactly(500.0, 9.0))];
        assert_eq!(
            compared("a", &others),
            "- a: ours takes 10.0 ns, the floor (table) 4.00 ns. Faster than ours: quick (5.00 ns). Slower: slow (500 ns)."
        );
    }
}
