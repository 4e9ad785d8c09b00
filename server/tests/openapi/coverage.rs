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
pub struct Recorded {
    /// In which whole answers are compared.
    conversations: BTreeSet<String>,
    /// In which several callers ask, and their statuses are compared alone.
    statuses_only: BTreeSet<String>,
    /// One of the whole answers is no refusal.
    succeeds: bool,
    /// With the step that first showed it.
    pub statuses: BTreeMap<u16, String>,
}

/// What the conversations that are played hold of each operation, by its id.
pub fn recorded(operations: &[Operation]) -> BTreeMap<String, Recorded> {
    let mut all: BTreeMap<String, Recorded> = BTreeMap::new();
    for conversation in conversations() {
        for step in &conversation.script.steps {
            let (Some(method), Some(path), Some(answer)) = (&step.method, &step.path, &step.answer) else { continue };
            let Some(operation) = operation_of(operations, method, path).filter(|_| step.differ.is_none() && !step.silent) else {
                continue;
            };
            let entry = all.entry(operation.id.clone()).or_default();
            let compared = if step.callers.is_empty() { &mut entry.conversations } else { &mut entry.statuses_only };
            compared.insert(conversation.name.clone());
            entry.succeeds |= step.callers.is_empty() && answer.status < 400;
            let at = format!("{} {}", conversation.name, step.id.as_deref().unwrap_or_default());
            for status in std::iter::once(answer.status).chain(answer.callers.0.iter().map(|(_, status)| *status)).filter(|s| *s != 0) {
                entry.statuses.entry(status).or_insert_with(|| at.clone());
            }
        }
    }
    all
}

/// What the page says of an operation that is built.
fn state(recorded: Option<&Recorded>) -> String {
    let list = |names: &BTreeSet<String>| names.iter().map(String::as_str).collect::<Vec<_>>().join(", ");
    let Some(recorded) = recorded else { return "built".to_owned() };
    let only: BTreeSet<String> = recorded.statuses_only.difference(&recorded.conversations).cloned().collect();
    let whole = if recorded.succeeds { "verified" } else { "refusals" };
    match (recorded.conversations.is_empty(), only.is_empty()) {
        (false, true) => format!("{whole}: {}", list(&recorded.conversations)),
        (false, false) => format!("{whole}: {}; statuses: {}", list(&recorded.conversations), list(&only)),
        (true, _) => format!("statuses: {}", list(&only)),
    }
}

fn page(harbor: &Harbor, built: &BTreeSet<String>, absent: &BTreeSet<String>, recorded: &BTreeMap<String, Recorded>) -> String {
    let of = |operation: &Operation| recorded.get(&operation.id).filter(|_| built.contains(&operation.id));
    let count = |fits: &dyn Fn(&Recorded) -> bool| harbor.operations.iter().filter(|operation| of(operation).is_some_and(fits)).count();
    let (all, built_count) = (harbor.operations.len(), built.len());
    let verified = count(&|recorded| recorded.succeeds);
    let refused = count(&|recorded| !recorded.succeeds && !recorded.conversations.is_empty());
    let by_status = count(&|recorded| recorded.conversations.is_empty());
    let mut page = String::from(
        "# Coverage of Harbor's REST API v2.0\n\n\
         Made by a test from the served OpenAPI document and the conversations recorded from a real Harbor that are played against Berth on both\n\
         databases. *Verified* names the conversations in which whole answers of an operation are compared: status, headers, fields, types, values\n\
         and wording (what is listed in `server/tests/golden/deliberate.toml` is answered otherwise on purpose). *Refusals* names them where nothing but\n\
         refusals was recorded of an operation, *statuses* those in which several callers ask, from nobody to administrator, and nothing but each\n\
         one's status is compared: what such an operation answers when it succeeds, where it can, is tested otherwise. *Built* is in the document and tested\n\
         otherwise; *absent* answers 404, as any path that is not there.\n\n",
    );
    let _ = writeln!(
        page,
        "Of {all} operations {built_count} are built, {verified} of them verified, {refused} by their refusals alone and {by_status} by their statuses alone, and {} are absent.",
        absent.len()
    );
    let mut tag = "";
    for operation in &harbor.operations {
        if operation.tag != tag {
            tag = &operation.tag;
            let _ = write!(page, "\n## {tag}\n\n| Operation | Request | State |\n| --- | --- | --- |\n");
        }
        let state = if built.contains(&operation.id) { state(of(operation)) } else { "absent".to_owned() };
        let _ = writeln!(page, "| {} | `{} {}` | {state} |", operation.id, operation.method.to_uppercase(), operation.path);
    }
    page
}

/// The operations that are known to be absent, and the file that names them, one in a line.
fn known_absent() -> (PathBuf, BTreeSet<String>) {
    let place = data().join("absent");
    let text = std::fs::read_to_string(&place).expect("the absent operations");
    (place, text.lines().map(str::to_owned).collect())
}

/// `BERTH_TEST_WRITE_DOCS=1 cargo test -p berth --test openapi` writes the page anew and takes out of the absent operations those that are built. It
/// adds none: an operation that was there stays.
#[test]
fn the_coverage_page_is_true_and_absent_operations_only_become_fewer() {
    let harbor = Harbor::load();
    assert_eq!(harbor.operations.len(), 203);
    let built: BTreeSet<String> = Document::served().operations().into_iter().map(|operation| operation.id).collect();
    let all: BTreeSet<String> = harbor.operations.iter().map(|operation| operation.id.clone()).collect();
    let absent: BTreeSet<String> = all.difference(&built).cloned().collect();
    let text = page(&harbor, &built, &absent, &recorded(&harbor.operations));
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/reference/api-coverage.md");
    if std::env::var_os("BERTH_TEST_WRITE_DOCS").is_some() {
        std::fs::write(&page, &text).expect("a page to write");
        let (place, known) = known_absent();
        let left: String = known.intersection(&absent).map(|id| format!("{id}\n")).collect();
        std::fs::write(place, left).expect("a list to write");
    }
    let (_, known) = known_absent();
    let gone: Vec<_> = absent.difference(&known).collect();
    assert!(gone.is_empty(), "operations that were there are gone: {gone:?}");
    let stale: Vec<_> = known.difference(&absent).collect();
    assert!(stale.is_empty(), "tests/openapi/absent names what is built, or no operation of Harbor's: see this test's comment: {stale:?}");
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

#[test]
fn an_operation_that_only_callers_were_asked_for_is_not_called_verified() {
    let names = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<BTreeSet<_>>();
    let said = |whole: &[&str], statuses: &[&str]| {
        state(Some(&Recorded { conversations: names(whole), statuses_only: names(statuses), succeeds: true, ..Recorded::default() }))
    };
    assert_eq!(state(Some(&Recorded { conversations: names(&["a"]), ..Recorded::default() })), "refusals: a");
    assert_eq!(said(&["a"], &["a"]), "verified: a");
    assert_eq!(said(&["a", "b"], &["c"]), "verified: a, b; statuses: c");
    assert_eq!(said(&[], &["c"]), "statuses: c");
    assert_eq!(state(None), "built");
}
