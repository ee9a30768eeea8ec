//! `COVERAGE.md` and the cases on disk are the same set, and each case has its answer.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

/// The cases that the tables name: `area/name`.
fn named(tables: &str) -> BTreeSet<String> {
    let rows = tables.lines().filter_map(|line| line.strip_prefix('|')?.strip_suffix('|')?.rsplit_once('|'));
    rows.flat_map(|(_, cases)| cases.split('`').skip(1).step_by(2)).map(str::to_owned).collect()
}

/// The files under `cases` that end so, as `area/name`.
fn on_disk(cases: &Path, extension: &str) -> BTreeSet<String> {
    let entries = |folder: &Path| {
        let entries = fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
        entries.map(|entry| entry.expect("a folder is readable").path()).collect::<Vec<_>>()
    };
    let files = entries(cases).into_iter().flat_map(|area| entries(&area));
    files
        .filter(|file| file.extension().is_some_and(|found| found == extension))
        .map(|file| {
            let path = file.strip_prefix(cases).expect("it was found there").with_extension("");
            path.to_str().expect("names of cases are text").replace('\\', "/")
        })
        .collect()
}

#[test]
fn the_tables_name_every_case_and_each_has_its_answer() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let named = named(&fs::read_to_string(root.join("COVERAGE.md")).expect("COVERAGE.md is there"));
    let cases = on_disk(&root.join("cases"), "rs");
    let answers = on_disk(&root.join("cases"), "stderr");
    let missing = |wanted: &BTreeSet<String>, found: &BTreeSet<String>| {
        wanted.difference(found).cloned().collect::<Vec<_>>().join(" ")
    };
    assert_eq!(missing(&named, &cases), "", "named in COVERAGE.md, but not on disk");
    assert_eq!(missing(&cases, &named), "", "on disk, but not named in COVERAGE.md");
    assert_eq!(missing(&cases, &answers), "", "without a .stderr");
    assert_eq!(missing(&answers, &cases), "", "a .stderr without its case");
    assert!(cases.len() >= 60, "only {} cases", cases.len());
}
