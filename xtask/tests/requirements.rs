//! The page of what the registry door holds itself to, and the tests that name its lines: neither may go without the other. Likewise the page of
//! bounds, and the constants and settings that it names.

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

/// The numbers in the names of a file's functions, such as `r007_names`. A comment is easily copied to where nothing is asserted, and counts for
/// nothing.
fn tested(source: &str) -> BTreeSet<u32> {
    let lines = source.lines().map(str::trim_start);
    let functions =
        lines.filter_map(|line| ["async fn ", "fn ", "pub async fn ", "pub fn "].iter().find_map(|start| line.strip_prefix(start)));
    functions.filter_map(|rest| rest.split(['(', '<']).next()).flat_map(cited).collect()
}

/// What the head of a file says that its tests are about.
fn summary(source: &str) -> BTreeSet<u32> {
    source.lines().filter(|line| line.starts_with("//!")).flat_map(cited).collect()
}

#[test]
fn a_range_of_numbers_counts_as_all_of_them() {
    assert_eq!(cited("R2, R7 to R9, r010_r011_both, and RFC 9110"), BTreeSet::from([2, 7, 8, 9, 10, 11]));
}

#[test]
fn only_names_of_functions_count_as_tested() {
    let source = "//! R1 to R9: all.\n    r004_listed,\n/// R5 by the letter.\nasync fn r002_r003_both(kit: Kit) {\n    // R6 to R8\n    let r009 = 1; // R7\n}\n";
    assert_eq!(tested(source), BTreeSet::from([2, 3]));
    assert_eq!(summary(source), (1..=9).collect());
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
    let mut named = BTreeSet::new();
    let mut untested = Vec::new();
    for path in files.filter(|path| path.is_file()) {
        let source = text(&path);
        let tests = tested(&source);
        untested.extend(summary(&source).difference(&tests).map(|number| format!("R{number} in the head of {}", path.display())));
        named.extend(tests);
    }
    assert_eq!(untested, Vec::<String>::new(), "heads that name more than their tests");
    let promised: BTreeSet<u32> = lines.difference(&later).copied().collect();
    assert_eq!(promised.difference(&named).collect::<Vec<_>>(), Vec::<&u32>::new(), "lines without a test");
    assert_eq!(named.difference(&lines).collect::<Vec<_>>(), Vec::<&u32>::new(), "tests that name no line");
}

/// What a source says a constant is: products, shifts and digits with underscores.
fn constant(source: &str, name: &str) -> Option<u64> {
    let marker = format!("const {name}: ");
    let mut found = source.lines().filter_map(|line| line.split_once(&marker)).map(|(_, rest)| rest);
    let value = found.next()?.split_once(" = ")?.1.split(';').next()?;
    let number = |text: &str| text.trim().replace('_', "").parse::<u64>().ok();
    match value.split_once("<<") {
        Some((number_of, shift)) => Some(number(number_of)? << number(shift)?),
        None => value.split('*').map(number).product(),
    }
}

/// `64 KiB`, `255 characters`, `100`: how many.
fn amount(text: &str) -> Option<u64> {
    let (number, unit) = text.split_once(' ').unwrap_or((text, ""));
    let times = match unit {
        "" | "bytes" | "characters" => 1,
        "KiB" => 1 << 10,
        "MiB" => 1 << 20,
        "TiB" => 1 << 40,
        _ => return None,
    };
    Some(number.parse::<u64>().ok()? * times)
}

/// The file of a module: `service::label` is `crates/service/src/label.rs` or `…/label/mod.rs`.
fn module(path: &str) -> String {
    let (room, inner) = path.split_once("::").expect("a room and a module");
    let source = if room == "server" { root().join("server/src") } else { root().join("crates").join(room).join("src") };
    let place = source.join(inner.replace("::", "/"));
    let file = place.with_extension("rs");
    if file.is_file() { text(&file) } else { text(&place.join("mod.rs")) }
}

/// The rows of the page of bounds: what it says is the most, and where that is kept.
fn bounds() -> Vec<(String, String)> {
    let page = text(&root().join("docs/reference/limits.md"));
    let cells = |line: &str| line.trim_matches('|').split(" | ").map(|cell| cell.trim().to_owned()).collect::<Vec<_>>();
    let rows = page.lines().filter(|line| line.starts_with('|') && line.contains('`')).map(cells);
    rows.map(|row| match row.as_slice() {
        [_, most, _, place] => (most.clone(), place.trim_matches('`').to_owned()),
        other => panic!("{other:?} are not four cells"),
    })
    .collect()
}

#[test]
fn constants_and_amounts_are_read() {
    let source = "pub const A: usize = 4 * 1024;\n    pub(super) const B: u64 = 1 << 20;\nconst C: i64 = 10_000;\nconst AA: u8 = 1;";
    assert_eq!(["A", "B", "C", "AA", "D"].map(|name| constant(source, name)), [Some(4096), Some(1 << 20), Some(10_000), Some(1), None]);
    assert_eq!(["4 MiB", "255 characters", "not set"].map(amount), [Some(4 << 20), Some(255), None]);
}

#[test]
fn every_bound_of_the_page_is_what_the_code_says() {
    let settings = text(&root().join("docs/reference/configuration.md"));
    let mut wrong = Vec::new();
    for (most, place) in bounds() {
        let right = match place.rsplit_once("::") {
            Some((path, name)) => amount(&most).is_some_and(|most| constant(&module(path), name) == Some(most)),
            // A setting: its default, which the program's own tests compare with the page of settings.
            None => settings.lines().any(|line| {
                line.starts_with(&format!("| `{place}` |"))
                    && line.split(" | ").nth(3).is_some_and(|default| default.trim_matches('`') == most)
            }),
        };
        if !right {
            wrong.push(format!("{place}: {most}"));
        }
    }
    assert_eq!(wrong, Vec::<String>::new(), "bounds that the code does not have");
}

#[test]
fn every_bound_of_the_protocol_stands_on_the_page() {
    let source = text(&root().join("crates/oci/src/limits.rs"));
    let names = source.lines().filter_map(|line| line.strip_prefix("pub const ")).filter_map(|rest| rest.split(':').next());
    let kept: BTreeSet<String> = names.map(|name| format!("oci::limits::{name}")).collect();
    assert!(kept.len() >= 10, "only {} bounds were found", kept.len());
    let told: Vec<String> = bounds().into_iter().map(|(_, place)| place).collect();
    let unique: BTreeSet<String> = told.iter().cloned().collect();
    assert_eq!(unique.len(), told.len(), "a bound stands twice");
    assert_eq!(unique.into_iter().filter(|place| place.starts_with("oci::limits::")).collect::<BTreeSet<_>>(), kept);
}
