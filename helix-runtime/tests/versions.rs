//! Versions and requirements are those of the `semver` crate, on any input.
#![allow(missing_docs)]
#![cfg(not(miri))] // The texts leak, and nothing here is unsafe.

use helix_runtime::{ModuleVersion, Requirement};
use proptest::prelude::*;

/// The parsers keep what they are given; a test may leak.
fn leaked(text: &str) -> &'static str {
    text.to_owned().leak()
}

fn number() -> impl Strategy<Value = String> {
    prop_oneof![4 => "[0-3]", 1 => "0[0-9]", 1 => "[1-9][0-9]{0,22}"]
}

fn pre() -> impl Strategy<Value = String> {
    prop_oneof![3 => Just(String::new()), 2 => "-[0-2](\\.[0-2a-b]{1,2}){0,2}", 1 => "[-+][a-z0-9.-]{0,4}"]
}

fn version() -> impl Strategy<Value = String> {
    prop_oneof![
        9 => (number(), number(), number(), pre()).prop_map(|(a, b, c, pre)| format!("{a}.{b}.{c}{pre}")),
        1 => "[0-9.x*+-]{0,8}",
    ]
}

fn comparator() -> impl Strategy<Value = String> {
    let op = prop_oneof!["", "=", ">", ">=", "<", "<=", "~", "\\^", ">= ", " "];
    let part = || prop_oneof![6 => "[0-3]", 1 => "\\*", 1 => "x"];
    prop_oneof![
        3 => (op.clone(), version()).prop_map(|(op, version)| op + &version),
        2 => (op.clone(), part(), part()).prop_map(|(op, a, b)| format!("{op}{a}.{b}")),
        2 => (op.clone(), part(), part(), part()).prop_map(|(op, a, b, c)| format!("{op}{a}.{b}.{c}")),
        1 => (op, part()).prop_map(|(op, a)| op + &a),
    ]
}

fn requirement() -> impl Strategy<Value = String> {
    prop_oneof![
        5 => proptest::collection::vec(comparator(), 1..4).prop_map(|list| list.join(", ")),
        1 => "[0-3.x*+,<>=~^ -]{0,12}",
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: if cfg!(miri) { 10 } else { 5_000 }, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_version_is_read_and_ordered_as_semver_does(a in version(), b in version()) {
        let (ours, theirs) = (ModuleVersion::parse(leaked(&a)), semver::Version::parse(&a));
        prop_assert_eq!(ours.is_ok(), theirs.is_ok(), "{:?}: {:?} {:?}", a, ours, theirs);
        if let (Ok(ours), Ok(theirs)) = (ours, theirs) {
            let mut plain = theirs.clone();
            plain.build = semver::BuildMetadata::EMPTY;
            prop_assert_eq!(ours.to_string(), plain.to_string());
            if let (Ok(other), Ok(their_other)) = (ModuleVersion::parse(leaked(&b)), semver::Version::parse(&b)) {
                prop_assert_eq!(ours.cmp(&other), theirs.cmp_precedence(&their_other), "{} {}", a, b);
            }
        }
    }

    #[test]
    fn a_requirement_matches_as_semver_does(text in requirement(), version in version()) {
        let (ours, theirs) = (Requirement::parse(leaked(&text)), semver::VersionReq::parse(&text));
        prop_assert_eq!(ours.is_ok(), theirs.is_ok(), "{:?}: {:?} {:?}", text, ours, theirs);
        if let (Ok(ours), Ok(theirs)) = (ours, theirs)
            && let (Ok(version), Ok(their_version)) = (ModuleVersion::parse(leaked(&version)), semver::Version::parse(&version))
        {
            prop_assert_eq!(ours.matches(&version), theirs.matches(&their_version), "{} {}", text, version);
        }
    }
}
