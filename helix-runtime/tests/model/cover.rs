//! The programs that are tried come to every end, often.

use std::collections::BTreeMap;

use proptest::strategy::{Strategy, ValueTree};
use proptest::test_runner::TestRunner;

use crate::step::{Step, program};
use crate::{compare, hush};

/// The kind of a step or an act: the first word of what it looks like.
fn kind(step: &Step) -> String {
    let text = format!("{step:?}");
    let text = text.strip_prefix("Act(").unwrap_or(&text);
    text.split(['(', ' ']).next().unwrap_or_default().trim_end_matches(')').to_owned()
}

#[test]
fn the_programs_come_to_every_end() {
    hush();
    let mut runner = TestRunner::deterministic();
    let strategy = program();
    let (mut kinds, mut lines) = (BTreeMap::<String, u32>::new(), Vec::new());
    for _ in 0..1_000 {
        let program = strategy.new_tree(&mut runner).unwrap().current();
        for step in &program {
            *kinds.entry(kind(step)).or_default() += 1;
        }
        lines.extend(compare(&program).unwrap().into_iter().flatten());
    }
    let of_kinds = [
        "Publish",
        "Subscribe",
        "Unsubscribe",
        "Pause",
        "Resume",
        "PauseAll",
        "ResumeAll",
        "Ask",
        "Queue",
        "Process",
        "Stop",
        "Start",
        "Remove",
        "Replace",
        "Teach",
        "Register",
        "Unregister",
        "Add",
        "Poll",
        "StopAll",
        "StartAll",
    ];
    for kind in of_kinds {
        assert!(kinds.get(kind).is_some_and(|times| *times >= 50), "{kind}: {kinds:?}");
    }
    let ends = [
        (" i1 ", 20),
        (" i2 ", 3),
        (" d1 ", 20),
        (" q1 ", 20),
        (" q2 ", 3),
        (" f1 ", 50),
        (" f2 ", 3),
        (" x1 ", 3),
        ("p1", 20),
        ("told to fail", 50),
        ("panicked: told to panic", 50),
        ("TooDeep", 5),
        ("Busy", 10),
        ("BadName", 20),
        ("NotSubscribed", 20),
        ("ModuleNotFound", 50),
        ("Taken", 10),
        ("Unfit", 3),
        ("Moving", 3),
        ("Needed by gamma", 10),
        ("is stopped", 10),
        ("is failed", 10),
        ("Postponed", 5),
        ("= Done", 20),
        ("= ()", 20),
        ("Closed", 3),
        ("is full: it holds 2", 10),
        ("no answer after", 10),
        ("Success([0])", 20),
        ("NotSupported", 5),
        ("Rejected", 5),
        ("1 redelivered", 10),
        ("1 dropped", 3),
        ("1 transitions", 3),
        ("is asked by `alpha`", 3),
        ("is asked by `sub`", 3),
        ("hears module.crashed", 10),
        ("hears module.reloaded", 5),
        ("hears module.unloaded", 10),
        ("hears net.link by topic", 20),
        ("alpha stop after 2", 3),
    ];
    let missing: Vec<_> = ends
        .iter()
        .map(|(end, least)| (end, least, lines.iter().filter(|line| line.contains(end)).count()))
        .filter(|(_, least, found)| found < least)
        .collect();
    assert!(missing.is_empty(), "too seldom: {missing:?}");
}
