//! Versions and requirements are those of the `semver` crate, on any input.
#![allow(missing_docs)]
#![cfg(not(miri))] // The texts leak, and nothing here is unsafe.

use std::collections::BTreeMap;

use helix_runtime::{ModuleVersion, Requirement, VersionError};
use proptest::prelude::*;
use proptest::sample::{Index, select};
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;
use semver::{Comparator, Op, Prerelease, Version, VersionReq};

/// The parsers keep what they are given; a test may leak.
fn leaked(text: &str) -> &'static str {
    text.to_owned().leak()
}

/// One of these texts.
fn of<const N: usize>(texts: [&'static str; N]) -> impl Strategy<Value = String> {
    select(texts.to_vec()).prop_map(str::to_owned)
}

// Boxed strategies, or their trees fill the stack.

fn number() -> BoxedStrategy<String> {
    prop_oneof![
        60 => "[0-3]",
        3 => of(["9", "10", "99", "100"]),
        2 => of(["18446744073709551614", "18446744073709551615"]),
        1 => of(["00", "01", "010", "18446744073709551616", "18446744073709551620", "99999999999999999999", "-1", ""]),
        1 => "[1-9][0-9]{18,22}",
    ]
    .boxed()
}

/// What follows `-` and `+`, mostly well-formed.
fn identifiers() -> BoxedStrategy<String> {
    let word = prop_oneof![
        8 => of(["0", "1", "2", "9", "10", "a", "b"]),
        3 => of(["alpha", "rc-1", "A", "Z9", "0a", "1-0", "-", "--", "-1", "x"]),
        1 => of(["18446744073709551616", "99999999999999999999"]),
        1 => of(["00", "01", "", "é", "_", "*"]),
    ];
    proptest::collection::vec(word, 1..4).prop_map(|words| words.join(".")).boxed()
}

fn suffix() -> BoxedStrategy<String> {
    prop_oneof![
        6 => Just(String::new()),
        4 => identifiers().prop_map(|pre| format!("-{pre}")),
        1 => identifiers().prop_map(|build| format!("+{build}")),
        1 => (identifiers(), identifiers()).prop_map(|(pre, build)| format!("-{pre}+{build}")),
        1 => of(["-", "+", "-+", "-a+", "+a-b", "+a+b", "-a-b", ".0", "."]),
    ]
    .boxed()
}

fn well_meant_version() -> BoxedStrategy<String> {
    (number(), number(), number(), suffix()).prop_map(|(a, b, c, suffix)| format!("{a}.{b}.{c}{suffix}")).boxed()
}

/// A text with a few characters too many, too few or other.
fn mistyped(text: impl Strategy<Value = String>) -> impl Strategy<Value = String> {
    let other = prop_oneof![
        8 => select("0123.x*+,<>=~^ -aX|&v\t\n\0".chars().collect::<Vec<_>>()),
        1 => select("\u{a0}\u{663}é²，".chars().collect::<Vec<_>>()),
    ];
    let edit = (any::<Index>(), 0..3, other);
    (text, proptest::collection::vec(edit, 1..3)).prop_map(|(text, edits)| {
        let mut text: Vec<char> = text.chars().collect();
        for (at, edit, other) in edits {
            let at = at.index(text.len() + 1);
            if edit > 0 && at < text.len() {
                text.remove(at);
            }
            if edit < 2 {
                text.insert(at, other);
            }
        }
        text.into_iter().collect()
    })
}

fn version() -> BoxedStrategy<String> {
    prop_oneof![
        8 => well_meant_version(),
        2 => mistyped(well_meant_version()),
        1 => "[0-9.x*+-]{0,8}",
        1 => ".{0,12}",
    ]
    .boxed()
}

/// Two versions that differ in little.
fn versions() -> impl Strategy<Value = (String, String)> {
    let near = (well_meant_version(), suffix()).prop_map(|(version, suffix)| {
        let numbers = version.split(['-', '+']).next().unwrap_or_default().to_owned();
        (version, numbers + &suffix)
    });
    prop_oneof![3 => near, 1 => (version(), version())]
}

fn spaces() -> BoxedStrategy<String> {
    prop_oneof![40 => Just(String::new()), 10 => of([" ", "  "]), 1 => of(["\t", "\n", "\u{a0}"])].boxed()
}

fn comparator() -> BoxedStrategy<String> {
    let op = of(["", "=", ">", ">=", "<", "<=", "~", "^"]);
    let part = || prop_oneof![30 => number(), 4 => of(["*", "x", "X"])];
    let odd = of(["==", "=>", "> =", "!=", "~>", "~=", "^^", "-", "v"]);
    let text = prop_oneof![
        8 => (number(), number(), number(), suffix()).prop_map(|(a, b, c, suffix)| format!("{a}.{b}.{c}{suffix}")),
        4 => (number(), part(), part()).prop_map(|(a, b, c)| format!("{a}.{b}.{c}")),
        4 => (number(), part()).prop_map(|(a, b)| format!("{a}.{b}")),
        3 => number(),
        1 => (part(), suffix()).prop_map(|(a, suffix)| a + &suffix),
        1 => (number(), part(), suffix()).prop_map(|(a, b, suffix)| format!("{a}.{b}{suffix}")),
    ];
    (spaces(), prop_oneof![30 => op, 1 => odd], spaces(), text, spaces())
        .prop_map(|(before, op, between, text, after)| before + &op + &between + &text + &after)
        .boxed()
}

fn requirement() -> BoxedStrategy<String> {
    let list = |lengths| proptest::collection::vec(comparator(), lengths).prop_map(|list| list.join(","));
    let any = (spaces(), of(["*", "x", "X"]), spaces(), of(["", "", ",", ",1", ".1", "*"]));
    let any = any.prop_map(|(before, any, between, after)| before + &any + &between + &after);
    prop_oneof![
        8 => comparator(),
        6 => list(2..5),
        4 => mistyped(list(1..3)),
        1 => any,
        1 => (list(1..3), of([",*", ", *", ", x ", ",X,1", ",", ", "])).prop_map(|(list, after)| list + &after),
        1 => "[0-3.x*+,<>=~^ -]{0,12}",
        1 => ".{0,12}",
    ]
    .boxed()
}

/// How a version stands to what a requirement names.
#[derive(Debug, Clone)]
struct Near {
    comparator: Index,
    by: [i8; 3],
    pre: String,
    /// Takes the comparator's own pre-release instead.
    same_pre: bool,
}

fn near() -> BoxedStrategy<Near> {
    let by = || select(vec![0, 0, 0, 0, -1, 1, i8::MIN, i8::MAX]);
    let pre = prop_oneof![2 => Just(String::new()), 1 => identifiers()];
    (any::<Index>(), [by(), by(), by()], pre, any::<bool>())
        .prop_map(|(comparator, by, pre, same_pre)| Near { comparator, by, pre, same_pre })
        .boxed()
}

fn moved(number: u64, by: i8) -> u64 {
    match by {
        i8::MIN => 0,
        i8::MAX => u64::MAX,
        _ => number.saturating_add_signed(by.into()),
    }
}

/// A version near to one of the requirement's comparators, if the text comes out as one.
fn version_near(requirement: &VersionReq, near: &Near) -> Option<String> {
    let any = Comparator { op: Op::Caret, major: 1, minor: None, patch: None, pre: Prerelease::EMPTY };
    let comparators = match &requirement.comparators[..] {
        [] => std::slice::from_ref(&any),
        some => some,
    };
    let Comparator { major, minor, patch, pre, .. } = near.comparator.get(comparators);
    let numbers = [*major, minor.unwrap_or(1), patch.unwrap_or(1)];
    let [a, b, c]: [u64; 3] = std::array::from_fn(|at| moved(numbers[at], near.by[at]));
    let pre = if near.same_pre { pre.as_str() } else { &near.pre };
    let text = if pre.is_empty() { format!("{a}.{b}.{c}") } else { format!("{a}.{b}.{c}-{pre}") };
    Version::parse(&text).is_ok().then_some(text)
}

/// Reads with both and compares: accepted by both, or refused by both with a place in the text.
fn both<O: std::fmt::Debug, T: std::fmt::Debug>(
    text: &str,
    ours: Result<O, VersionError>,
    theirs: Result<T, semver::Error>,
) -> Result<Option<(O, T)>, TestCaseError> {
    prop_assert_eq!(ours.is_ok(), theirs.is_ok(), "{:?}: {:?} {:?}", text, ours, theirs);
    if let Err(error) = &ours {
        prop_assert!(text.is_char_boundary(error.at), "{:?}: {}", text, error);
        prop_assert!(!error.expected.is_empty());
    }
    Ok(ours.ok().zip(theirs.ok()))
}

fn both_versions(text: &str) -> Result<Option<(ModuleVersion, Version)>, TestCaseError> {
    both(text, ModuleVersion::parse(leaked(text)), Version::parse(text))
}

fn config(cases: u32) -> ProptestConfig {
    ProptestConfig { cases, failure_persistence: None, ..ProptestConfig::default() }
}

proptest! {
    #![proptest_config(config(4_000))]

    #[test]
    fn a_version_is_read_and_shown_as_semver_does(text in version()) {
        if let Some((ours, theirs)) = both_versions(&text)? {
            let plain = Version { build: semver::BuildMetadata::EMPTY, ..theirs };
            prop_assert_eq!(ours.to_string(), plain.to_string());
            prop_assert_eq!(ModuleVersion::parse(leaked(&ours.to_string())), Ok(ours));
        }
    }

    #[test]
    fn versions_are_ordered_as_semver_does((a, b) in versions()) {
        if let (Some((a, their_a)), Some((b, their_b))) = (both_versions(&a)?, both_versions(&b)?) {
            prop_assert_eq!(a.cmp(&b), their_a.cmp_precedence(&their_b), "{} {}", a, b);
            prop_assert_eq!(b.cmp(&a), a.cmp(&b).reverse(), "{} {}", a, b);
            prop_assert_eq!(a == b, a.cmp(&b).is_eq(), "{} {}", a, b);
        }
    }

    #[test]
    fn a_requirement_matches_as_semver_does(
        text in requirement(),
        near in proptest::collection::vec(near(), 12),
        other in version(),
    ) {
        if let Some((ours, theirs)) = both(&text, Requirement::parse(leaked(&text)), VersionReq::parse(&text))? {
            prop_assert_eq!(ours.as_str(), &text);
            for version in near.iter().filter_map(|near| version_near(&theirs, near)).chain([other]) {
                if let Some((version, their_version)) = both_versions(&version)? {
                    prop_assert_eq!(ours.matches(&version), theirs.matches(&their_version), "{:?} {}", text, version);
                }
            }
        }
    }
}

/// The one difference: `semver` takes at most 32 comparators.
#[test]
fn a_list_may_be_longer_than_semvers() {
    for (length, theirs) in [(1, true), (31, true), (32, true), (33, false), (100, false)] {
        for comparator in [">=1", ">=1.2.3-a"] {
            let text = vec![comparator; length].join(", ");
            assert_eq!(VersionReq::parse(&text).is_ok(), theirs, "{length}");
            let ours = Requirement::parse(leaked(&text)).unwrap();
            assert!(ours.matches(&ModuleVersion::new(1, 2, 3)) && !ours.matches(&ModuleVersion::new(0, 2, 3)));
        }
    }
}

/// What a text is to `semver`, and how far its rules are put to the test.
fn met(seen: &mut BTreeMap<String, u32>, text: &str, near: &[Near]) {
    let mut see = |what: String| *seen.entry(what).or_default() += 1;
    let requirement = match VersionReq::parse(text) {
        Ok(requirement) => requirement,
        Err(error) => {
            let error = error.to_string();
            let kinds = [
                "leading zero",
                "exceeds",
                "unexpected end",
                "unexpected character",
                "expected comma",
                "empty identifier",
                "wildcard req",
            ];
            let kind = kinds.into_iter().find(|kind| error.contains(kind));
            return see(kind.map_or(format!("refused otherwise: {error}"), |kind| format!("refused: {kind}")));
        }
    };
    for version in near.iter().filter_map(|near| version_near(&requirement, near)) {
        let version = Version::parse(&version).unwrap();
        let matches = if requirement.matches(&version) { "yes" } else { "no" };
        match &requirement.comparators[..] {
            [] => see(format!("*, {}, {matches}", if version.pre.is_empty() { "release" } else { "pre-release" })),
            [Comparator { op, minor, patch, pre, .. }] => {
                let given = 1 + u8::from(minor.is_some()) + u8::from(patch.is_some()) + u8::from(!pre.is_empty());
                see(format!("{op:?} with {given}, {matches}"));
            }
            list => {
                see(format!("a list, {matches}"));
                let named = |comparator: &&Comparator| {
                    !comparator.pre.is_empty()
                        && (comparator.major, comparator.minor, comparator.patch)
                            == (version.major, Some(version.minor), Some(version.patch))
                };
                match list.iter().filter(named).count() {
                    0 if !version.pre.is_empty() => see(format!("a pre-release that a list does not name, {matches}")),
                    1.. if !version.pre.is_empty() => see(format!("a pre-release that a list names, {matches}")),
                    _ => {}
                }
            }
        }
        if [version.major, version.minor, version.patch].contains(&u64::MAX) {
            see(format!("the greatest number, {matches}"));
        }
    }
    if text.contains(' ') {
        see("spaces".to_owned());
    }
    if text.contains('+') {
        see("build metadata".to_owned());
    }
}

#[test]
fn the_texts_above_reach_every_rule() {
    let mut runner = TestRunner::deterministic();
    let mut seen = BTreeMap::new();
    let strategy = (requirement(), proptest::collection::vec(near(), 12));
    for _ in 0..10_000 {
        let (text, near) = strategy.new_tree(&mut runner).unwrap().current();
        met(&mut seen, &text, &near);
    }
    let mut rules: Vec<String> = Vec::new();
    for op in ["Exact", "Greater", "GreaterEq", "Less", "LessEq", "Tilde", "Caret"] {
        rules.extend((1..=4).map(|given| format!("{op} with {given}")));
    }
    rules.extend((1..=2).map(|given| format!("Wildcard with {given}")));
    let others = ["a list", "a pre-release that a list names", "the greatest number"];
    rules.extend(others.map(str::to_owned));
    let mut rules: Vec<String> =
        rules.iter().flat_map(|rule| ["yes", "no"].map(|end| format!("{rule}, {end}"))).collect();
    let single = [
        "*, release, yes",
        "*, pre-release, no",
        "a pre-release that a list does not name, no",
        "spaces",
        "build metadata",
        "refused: leading zero",
        "refused: exceeds",
        "refused: unexpected end",
        "refused: unexpected character",
        "refused: expected comma",
        "refused: empty identifier",
        "refused: wildcard req",
    ];
    rules.extend(single.map(str::to_owned));
    for rule in rules {
        assert!(seen.get(&rule).is_some_and(|times| *times >= 20), "{rule}: {seen:#?}");
    }
}
