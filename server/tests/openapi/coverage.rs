//! Which of Harbor's operations is verified by which recorded conversation, built, or absent; and that every recorded answer is one that the
//! document declares. The list of conversations that are played is the one of the test `golden`.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use berth::rest::BASE;
use testkit::player::{Conversation, Needs};

use super::facts::{Document, Harbor, Operation, data};

/// The source of the test that plays.
const GOLDEN: &str = include_str!("../golden.rs");

/// The conversations between `played! {` and its end.
fn played() -> Vec<String> {
    let (_, list) = GOLDEN.split_once("\nplayed! {\n").expect("the list of conversations");
    let (list, _) = list.split_once("\n}").expect("the end of the list");
    let names = list.lines().filter_map(|line| line.split('"').nth(1));
    names.map(str::to_owned).collect()
}

/// What is played of them.
fn conversations() -> Vec<Conversation> {
    let place = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden");
    let needs = Needs::load(&place.join("needs.toml")).unwrap_or_else(|error| panic!("{error}"));
    let load = |name: String| {
        let path = place.join("conversations").join(format!("{name}.json"));
        let mut conversation = Conversation::load(&path).unwrap_or_else(|error| panic!("{error}"));
        needs.leave_out(&mut conversation);
        conversation
    };
    played().into_iter().map(load).collect()
}

/// The operation that a recorded request goes to: where two paths fit, the one with more words of its own.
fn operation_of<'a>(operations: &'a [Operation], method: &str, path: &str) -> Option<&'a Operation> {
    let path = path.split('?').next()?.strip_prefix(BASE)?.trim_end_matches('/');
    let segments: Vec<_> = path.split('/').collect();
    let fits = |operation: &&Operation| {
        let template: Vec<_> = operation.path.trim_end_matches('/').split('/').collect();
        let same = |(word, segment): (&&str, &&str)| word.starts_with('{') && !segment.is_empty() || word == segment;
        operation.method.eq_ignore_ascii_case(method) && template.len() == segments.len() && template.iter().zip(&segments).all(same)
    };
    operations.iter().filter(fits).min_by_key(|operation| operation.path.matches('{').count())
}

/// Conversations and statuses by operation.
#[derive(Default)]
struct Recorded {
    conversations: BTreeSet<String>,
    /// With the step that first showed it.
    statuses: BTreeMap<u16, String>,
}

fn recorded(operations: &[Operation]) -> BTreeMap<String, Recorded> {
    let mut all: BTreeMap<String, Recorded> = BTreeMap::new();
    for conversation in conversations() {
        for step in &conversation.script.steps {
            let (Some(method), Some(path), Some(answer)) = (&step.method, &step.path, &step.answer) else { continue };
            let Some(operation) = operation_of(operations, method, path).filter(|_| step.differ.is_none() && !step.silent) else {
                continue;
            };
            let entry = all.entry(operation.id.clone()).or_default();
            entry.conversations.insert(conversation.name.clone());
            let at = format!("{} {}", conversation.name, step.id.as_deref().unwrap_or_default());
            for status in std::iter::once(answer.status).chain(answer.callers.0.iter().map(|(_, status)| *status)).filter(|s| *s != 0) {
                entry.statuses.entry(status).or_insert_with(|| at.clone());
            }
        }
    }
    all
}

fn page(harbor: &Harbor, built: &BTreeSet<String>, recorded: &BTreeMap<String, Recorded>) -> (String, usize) {
    let verified = |operation: &&Operation| built.contains(&operation.id) && recorded.contains_key(&operation.id);
    let (all, built_count) = (harbor.operations.len(), built.len());
    let verified_count = harbor.operations.iter().filter(verified).count();
    let absent = harbor.operations.iter().filter(|operation| !built.contains(&operation.id)).count();
    let mut page = String::from(
        "# Coverage of Harbor's REST API v2.0\n\n\
         Made by a test from the served OpenAPI document and the conversations recorded from a real Harbor that are played against Berth on both\n\
         databases. *Verified* names the conversations in which an operation's answers are compared; *built* is in the document and tested\n\
         otherwise; *absent* answers 404, as any path that is not there.\n\n",
    );
    let _ = writeln!(page, "Of {all} operations {built_count} are built, {verified_count} of them verified, and {absent} are absent.");
    let mut tag = "";
    for operation in &harbor.operations {
        if operation.tag != tag {
            tag = &operation.tag;
            let _ = write!(page, "\n## {tag}\n\n| Operation | Request | State |\n| --- | --- | --- |\n");
        }
        let state = match (built.contains(&operation.id), recorded.get(&operation.id)) {
            (false, _) => "absent".to_owned(),
            (true, None) => "built".to_owned(),
            (true, Some(recorded)) => {
                format!("verified: {}", recorded.conversations.iter().map(String::as_str).collect::<Vec<_>>().join(", "))
            }
        };
        let _ = writeln!(page, "| {} | `{} {}` | {state} |", operation.id, operation.method.to_uppercase(), operation.path);
    }
    (page, absent)
}

fn lowest() -> (PathBuf, usize) {
    let place = data().join("absent");
    let number = std::fs::read_to_string(&place).expect("the number").trim().parse().expect("a number");
    (place, number)
}

/// `BERTH_TEST_WRITE_DOCS=1 cargo test -p berth --test openapi` writes the page anew and lowers the number of absent operations.
#[test]
fn the_coverage_page_is_true_and_absent_operations_only_become_fewer() {
    let harbor = Harbor::load();
    assert_eq!(harbor.operations.len(), 203);
    let built: BTreeSet<String> = Document::served().operations().into_iter().map(|operation| operation.id).collect();
    let (text, absent) = page(&harbor, &built, &recorded(&harbor.operations));
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/reference/api-coverage.md");
    if std::env::var_os("BERTH_TEST_WRITE_DOCS").is_some() {
        std::fs::write(&page, &text).expect("a page to write");
        let (place, number) = lowest();
        std::fs::write(place, format!("{}\n", absent.min(number))).expect("a number to write");
    }
    assert_eq!(absent, lowest().1, "an operation is gone, or the number in tests/openapi/absent can be lowered: see this test's comment");
    let written = std::fs::read_to_string(&page).unwrap_or_default();
    assert!(written == text, "{} differs from what is built and played: see this test's comment", page.display());
}

#[test]
fn every_recorded_answer_is_declared() {
    let operations = Document::served().operations();
    let recorded = recorded(&operations);
    assert!(recorded.len() > 60, "only {} operations are recorded", recorded.len());
    let mut missing = Vec::new();
    for operation in &operations {
        for (status, step) in recorded.get(&operation.id).into_iter().flat_map(|recorded| &recorded.statuses) {
            if !operation.answers.contains_key(&status.to_string()) {
                missing.push(format!("{} {}: {status} in {step}", operation.method, operation.id));
            }
        }
    }
    assert!(missing.is_empty(), "{} recorded answers are not declared:\n{}", missing.len(), missing.join("\n"));
}

#[test]
fn requests_are_found_by_the_words_of_their_paths() {
    let operations = Harbor::load().operations;
    let of = |method: &str, path: &str| operation_of(&operations, method, path).map(|operation| operation.id.as_str());
    assert_eq!(of("GET", "/api/v2.0/users/current"), Some("getCurrentUserInfo"));
    assert_eq!(of("GET", "/api/v2.0/users/${user_id}?x=1"), Some("getUser"));
    assert_eq!(of("POST", "/api/v2.0/projects/north/metadatas"), Some("addProjectMetadatas"));
    assert_eq!(of("GET", "/api/v2.0/projects/a/repositories/b/artifacts/c/additions/vulnerabilities"), Some("getVulnerabilitiesAddition"));
    assert_eq!(of("PATCH", "/api/v2.0/users/current"), None);
    assert_eq!(of("GET", "/v2/_catalog"), None);
}
