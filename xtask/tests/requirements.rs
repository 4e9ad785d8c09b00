//! The page of what the registry door holds itself to, and the tests that name its lines: neither may go without the other.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn text(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The numbers that a text cites: `R7`, all from `R7 to R9`, and those in names of tests such as `r007_names`.
fn cited(text: &str) -> BTreeSet<u32> {
    let words: Vec<&str> = text.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| !word.is_empty()).collect();
    let in_name = |word: &str| word.strip_prefix('r').filter(|digits| digits.len() == 3).and_then(|digits| digits.parse::<u32>().ok());
    // A name such as `r000` in a test's data is none.
    let number = |word: &str| {
        word.strip_prefix('R').and_then(|digits| digits.parse::<u32>().ok()).or_else(|| in_name(word)).filter(|number| *number > 0)
    };
    let mut found = BTreeSet::new();
    for (at, first) in words.iter().enumerate().filter_map(|(at, word)| number(word).map(|first| (at, first))) {
        let last = match words.get(at + 1..at + 3) {
            Some(["to", last]) => number(last).unwrap_or(first),
            _ => first,
        };
        found.extend(first..=last);
    }
    found
}

#[test]
fn a_range_of_numbers_counts_as_all_of_them() {
    assert_eq!(cited("R2, R7 to R9, r010_r011_both, and RFC 9110"), BTreeSet::from([2, 7, 8, 9, 10, 11]));
}

#[test]
fn every_line_of_the_page_is_named_by_a_test_and_every_name_has_its_line() {
    let page = text(&root().join("docs/reference/registry.md"));
    let mut lines = BTreeSet::new();
    let mut later = BTreeSet::new();
    for line in page.lines().filter(|line| line.starts_with("- R")) {
        let number = *cited(line.split(' ').nth(1).unwrap_or_default()).first().expect("a line begins with its number");
        assert!(lines.insert(number), "R{number} stands twice");
        if line.contains("(comes with") || line.contains("(measured by") {
            later.insert(number);
        }
    }
    let suites = ["server/tests/distribution", "crates/service/tests"].map(|suite| root().join(suite));
    let files = suites.iter().flat_map(|suite| fs::read_dir(suite).expect("a suite")).map(|file| file.expect("a file").path());
    let named: BTreeSet<u32> = files.filter(|path| path.is_file()).flat_map(|path| cited(&text(&path))).collect();
    let promised: BTreeSet<u32> = lines.difference(&later).copied().collect();
    assert_eq!(promised.difference(&named).collect::<Vec<_>>(), Vec::<&u32>::new(), "lines without a test");
    assert_eq!(named.difference(&lines).collect::<Vec<_>>(), Vec::<&u32>::new(), "tests that name no line");
}
