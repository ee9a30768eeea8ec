//! Runs the rows: `cargo bench`, `cargo bench -- NAME` for those with NAME in them, `cargo bench -- --quick` for a look.
//!
//! Only a full run rewrites `RESULTS.md`.

use std::error::Error;

use helix_bench::allocations::{self, Counting};
use helix_bench::curves::{Curve, curves};
use helix_bench::measure::{Plan, measure};
use helix_bench::plots::{Drawn, Place};
use helix_bench::report::{Line, compared};
use helix_bench::results::{Results, root};
use helix_bench::row::Row;
use helix_bench::{bare, compile, designs, rows};

const KNOWN: [&str; 3] = ["--bench", "--quick", "--help"];

const HELP: &str = "\
cargo bench                     measures everything, and rewrites RESULTS.md, its plots and a line of the README
cargo bench -- NAME [NAME..]    the rows with one of these in their names; of a curve the name is `plot NAME`
cargo bench -- --quick          all rows and curves for a look";

#[global_allocator]
static ALLOCATOR: Counting = Counting;

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if !arguments.iter().any(|argument| argument == "--bench") {
        // `cargo test --all-targets` runs it without.
        println!("`cargo bench` runs this");
        return Ok(());
    }
    if let Some(found) = arguments.iter().find(|found| found.starts_with('-') && !KNOWN.contains(&found.as_str())) {
        return Err(format!("found `{found}`, expected one of {} or a part of a row's name", KNOWN.join(", ")).into());
    }
    if arguments.iter().any(|argument| argument == "--help") {
        println!("{HELP}");
        return Ok(());
    }
    let is_quick = arguments.iter().any(|argument| argument == "--quick");
    let filters: Vec<&str> = arguments.iter().map(String::as_str).filter(|name| !name.starts_with('-')).collect();
    let is_full = !is_quick && filters.is_empty();
    let is_wanted = |name: &str| filters.is_empty() || filters.iter().any(|filter| name.contains(filter));
    let plan = if is_quick { Plan::QUICK } else { Plan::FULL };

    assert!(allocations::are_counted(), "the counting allocator is installed");
    let mut results = Results::default();
    println!("{}", Line::head());
    let rows = rows();
    for row in rows.iter().filter(|row| is_wanted(&row.what)) {
        run(row, plan, &mut results);
    }
    for row in rows.iter().filter(|row| allocations::must_be_none(row)) {
        let line = Line::allocations(&row.what, allocations::of(row));
        if is_wanted(&line.what) {
            add(&mut results, line);
        }
    }
    if is_full {
        for line in bare::lines(&root())?.into_iter().chain(compile::lines(&root())?) {
            add(&mut results, line);
        }
    } else {
        println!("| compile time, and publishing without `std`: skipped, a full run measures them |");
    }
    let curves: Vec<Curve> = curves().into_iter().filter(|curve| is_wanted(&format!("plot {}", curve.name))).collect();
    if results.lines.is_empty() && curves.is_empty() {
        return Err(format!(
            "no row has {} in its name; `cargo bench -- --quick` shows them all",
            filters.join(" or ")
        )
        .into());
    }
    println!("\n{}\n", results.verdict());
    for sentence in &results.sentences {
        println!("{sentence}");
    }
    for curve in &curves {
        let drawn = follow(curve, if is_quick { Plan::QUICK } else { Plan::POINT });
        println!("- plot {}: {}", curve.name, drawn.sentence());
        results.plots.push((curve.name, drawn));
    }
    if is_full { results.write() } else { Ok(()) }
}

fn add(results: &mut Results, line: Line) {
    println!("{line}");
    results.lines.push(line);
}

fn stretched(plan: Plan, row: &Row) -> Plan {
    Plan { batch: plan.batch * row.stretch, ..plan }
}

fn run(row: &Row, plan: Plan, results: &mut Results) {
    let mut contenders = row.field().into_contenders();
    let measured = measure(&mut contenders, stretched(plan, row));
    add(results, Line::measured(row.what.clone(), measured[1], Some(measured[0]), row.budget));
    let named: Vec<_> = contenders.iter().map(|contender| contender.name).zip(measured).collect();
    let others = &named[2..];
    for (name, other) in others {
        add(results, Line::measured(format!("- {name}"), *other, None, None));
    }
    if !others.is_empty() && !row.what.starts_with(designs::ROWS) {
        results.sentences.push(compared(&row.what, &named));
    }
}

fn follow(curve: &Curve, plan: Plan) -> Drawn {
    let points = curve.points.iter().map(|point| {
        let measured = measure(&mut point.row.field().into_contenders(), stretched(plan, &point.row));
        let each = |at: usize| measured[at].ns.per(point.per).median;
        Place { at: point.at, floor: each(0), ours: each(1), ratio: measured[1].ratio.median }
    });
    Drawn { grows: curve.grows, each: curve.each, is_log: curve.is_log, points: points.collect() }
}
