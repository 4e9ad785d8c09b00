//! Conversations recorded from a real Harbor, played against this server: one test for each conversation and engine. No hard
//! difference and no other wording may be left but those in `golden/deliberate.toml`, each with its reason. Steps that need what does not exist yet are in
//! `golden/needs.toml`: those of an absent operation are not played, those that an absent policy forbids must succeed.
//!
//! SQLite is always played; PostgreSQL where `BERTH_TEST_POSTGRES_URL` leads to one on which databases can be made.
//! `BERTH_GOLDEN_SHOW=all` prints the differences that do not count, too.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use serde_json::Value;
use testkit::player::{Conversation, Deliberate, Difference, Engine, FreshServer, Got, Kind, Needs, Report, fits, play};

const POSTGRES: &str = "BERTH_TEST_POSTGRES_URL";

/// A test of each conversation for SQLite and PostgreSQL, and the list `PLAYED` of all of them.
macro_rules! played {
    ($($test:ident: $name:literal,)*) => {
        /// The conversations that are played, by their files' names.
        const PLAYED: &[&str] = &[$($name),*];

        mod sqlite {
            $(#[test]
            fn $test() {
                super::check($name, &testkit::player::Engine::Sqlite);
            })*
        }

        mod postgres {
            $(#[test]
            fn $test() {
                super::check_on_postgres($name);
            })*
        }
    };
}

played! {
    accessories: "accessories",
    artifact_types: "artifact-types",
    audit: "audit",
    config: "config",
    config_read_only: "config-read-only",
    errors: "errors",
    immutable_effect: "immutable-effect",
    artifacts: "artifacts",
    immutable_rules: "immutable-rules",
    labels: "labels",
    labels_on_artifacts: "labels-on-artifacts",
    member_views: "member-views",
    members: "members",
    permissions: "permissions",
    permissions_system: "permissions-system",
    project_lists: "project-lists",
    project_metadata: "project-metadata",
    projects: "projects",
    pull_effects: "pull-effects",
    quota_effect: "quota-effect",
    quotas: "quotas",
    repositories: "repositories",
    robots: "robots",
    robots_life: "robots-life",
    search_statistics: "search-statistics",
    session: "session",
    system: "system",
    tags: "tags",
    token: "token",
    usergroups: "usergroups",
    users: "users",
    users_secrets: "users-secrets",
    v2_lists: "v2-lists",
    v2_manifests: "v2-manifests",
    v2_push: "v2-push",
}

/// The conversations that need what does not exist yet: file's name and what is missing.
const NOT_YET: &[(&str, &str)] = &[
    ("gc", "garbage collection"),
    ("jobservice", "jobs, retention, garbage collection"),
    ("ldap", "LDAP"),
    ("ldap-groups", "LDAP, user groups"),
    ("ldap-users", "LDAP"),
    ("oidc", "OpenID Connect"),
    ("oidc-groups", "OpenID Connect, user groups"),
    ("preheat", "preheating"),
    ("purge-audit", "purging of audit logs"),
    ("registries", "registries, replication"),
    ("replication-policies", "registries, replication"),
    ("replication-runs", "registries, replication"),
    ("retention-policy", "retention"),
    ("retention-run", "retention, immutable tag rules"),
    ("scanners", "scanners"),
    ("scanning", "scanners, scanning"),
    ("schedules", "schedules, garbage collection, retention"),
    ("webhook-payloads", "webhooks, retention, quotas"),
    ("webhook-policies", "webhooks"),
];

fn golden() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden")
}

fn load(name: &str) -> Conversation {
    let path = golden().join("conversations").join(format!("{name}.json"));
    Conversation::load(&path).unwrap_or_else(|error| panic!("{error}"))
}

fn deliberate() -> Deliberate {
    Deliberate::load(&golden().join("deliberate.toml")).unwrap_or_else(|error| panic!("{error}"))
}

fn needs() -> Needs {
    Needs::load(&golden().join("needs.toml")).unwrap_or_else(|error| panic!("{error}"))
}

fn check_on_postgres(name: &str) {
    match std::env::var(POSTGRES) {
        Ok(url) if !url.is_empty() => check(name, &Engine::Postgres(url)),
        _ => eprintln!("not played: {POSTGRES} is not set"),
    }
}

fn check(name: &str, engine: &Engine) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let mut conversation = load(name);
    needs().leave_out(&mut conversation);
    if let Err(trouble) = runtime.block_on(trouble_with(&conversation, engine)) {
        panic!("{name}: {trouble}");
    }
}

/// Plays a conversation against a server of its own.
async fn trouble_with(conversation: &Conversation, engine: &Engine) -> Result<(), String> {
    let server = FreshServer::start(Path::new(env!("CARGO_BIN_EXE_berth")), engine).await.map_err(|e| e.to_string())?;
    let played = play(conversation, &server.target()).await;
    let output = server.output();
    server.stop().await;
    let mut report = played.map_err(|e| e.to_string())?;
    let list = deliberate();
    let mut unused: Vec<_> = list.apply(&mut report).into_iter().map(|entry| format!("deliberate.toml lists {}", entry.step)).collect();
    unused.extend(needs().forgive(&mut report).into_iter().map(|need| format!("needs.toml lists {}", need.name())));
    unused.extend(needs().forgive_refusals(&mut report).into_iter().map(|step| format!("needs.toml lists the refusal of {step}")));
    if std::env::var("BERTH_GOLDEN_SHOW").is_ok_and(|show| show == "all") {
        for difference in &report.differences {
            println!("{} {difference}", report.conversation);
        }
    }
    verdict(&report, &unused).map_err(|trouble| format!("{trouble}\nThe server's last words:\n{}", last_lines(&output, 30)))
}

fn verdict(report: &Report, unused: &[String]) -> Result<(), String> {
    let mut trouble = String::new();
    // Scripts match on wording where the status alone does not tell them enough.
    let counted: Vec<_> = report.of_kind(Kind::Hard).chain(report.of_kind(Kind::Message)).collect();
    if !counted.is_empty() {
        let steps: BTreeSet<_> = counted.iter().map(|difference| &difference.step).collect();
        let _ = writeln!(trouble, "{} differences in {} of {} steps", counted.len(), steps.len(), report.steps_compared);
        for difference in &counted {
            let _ = writeln!(trouble, "{difference}");
        }
    }
    for entry in unused {
        let _ = writeln!(trouble, "{entry}, but there is no such difference");
    }
    for skipped in &report.skipped {
        let _ = writeln!(trouble, "{} was not played: {}", skipped.step.as_deref().unwrap_or("all of it"), skipped.reason);
    }
    if trouble.is_empty() { Ok(()) } else { Err(trouble) }
}

fn last_lines(text: &str, count: usize) -> String {
    let lines: Vec<_> = text.lines().collect();
    lines[lines.len().saturating_sub(count)..].join("\n")
}

#[test]
fn every_conversation_is_in_exactly_one_list() {
    let files = std::fs::read_dir(golden().join("conversations")).expect("the recordings");
    let files: BTreeSet<String> =
        files.map(|entry| entry.expect("an entry").path().file_stem().expect("a name").to_string_lossy().into_owned()).collect();
    let listed: Vec<_> = PLAYED.iter().copied().chain(NOT_YET.iter().map(|(name, _)| *name)).collect();
    let once: BTreeSet<String> = listed.iter().map(|name| (*name).to_owned()).collect();
    assert_eq!(once.len(), listed.len(), "a conversation is listed twice");
    assert_eq!(once, files);
    assert!(NOT_YET.iter().all(|(_, missing)| !missing.is_empty()));
}

#[test]
fn every_conversation_is_readable() {
    for name in PLAYED.iter().copied().chain(NOT_YET.iter().map(|(name, _)| *name)) {
        assert!(!load(name).script.steps.is_empty(), "{name}");
    }
}

#[test]
fn deliberate_differences_name_steps_that_are_played() {
    for entry in deliberate().entries {
        let at = format!("{} {}", entry.conversation, entry.step);
        assert!(PLAYED.contains(&entry.conversation.as_str()), "{at}: the conversation is not played");
        let conversation = load(&entry.conversation);
        let mut steps = conversation.script.steps.iter();
        let compared = steps.any(|step| step.id.as_deref() == Some(&entry.step) && step.differ.is_none());
        assert!(compared, "{at}: no such step is compared");
    }
}

#[test]
fn what_conversations_need_does_not_exist_yet() {
    let document = berth::rest::document();
    let operations: BTreeSet<&str> = document["paths"]
        .as_object()
        .into_iter()
        .flat_map(|paths| paths.values())
        .filter_map(Value::as_object)
        .flat_map(|methods| methods.values())
        .filter_map(|operation| operation["operationId"].as_str())
        .collect();
    let settings = document["components"]["schemas"]["ConfigurationsResponse"]["properties"].as_object().expect("the settings");
    assert!(operations.contains("getPing") && settings.contains_key("read_only"), "the document is read as it is");
    for need in needs().entries {
        let at = format!("{} {}", need.conversation, need.name());
        assert!(PLAYED.contains(&need.conversation.as_str()), "{at}: the conversation is not played");
        assert!(need.operation.is_none_or(|id| !operations.contains(id.as_str())), "{at}: the operation exists");
        assert!(need.setting.is_none_or(|pattern| !settings.keys().any(|key| fits(&pattern, key))), "{at}: the setting exists");
    }
}

#[test]
fn needs_name_operations_of_the_api_and_steps_that_there_are() {
    let harbor = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/openapi/harbor.json");
    let harbor: Value = serde_json::from_slice(&std::fs::read(harbor).expect("the API's operations")).expect("JSON");
    let known = |id: &str| harbor["operations"].as_array().is_some_and(|all| all.iter().any(|operation| operation["id"] == id));
    for need in needs().entries {
        assert!(need.operation.as_deref().is_none_or(known), "{}: no such operation", need.name());
    }
    for name in PLAYED {
        assert_eq!(needs().leave_out(&mut load(name)), Vec::<&str>::new(), "{name}: no such steps");
    }
}

#[test]
fn another_wording_is_a_failure_unless_it_is_listed() {
    let wording = |step: &str| Difference {
        step: step.to_owned(),
        kind: Kind::Message,
        place: "body.errors[0].message".to_owned(),
        expected: "\"recorded\"".to_owned(),
        actual: "\"other\"".to_owned(),
    };
    let mut report = Report { conversation: "errors".to_owned(), differences: vec![wording("error.method.options")], ..Report::default() };
    assert!(verdict(&report, &[]).is_err_and(|trouble| trouble.contains("error.method.options")));
    deliberate().apply(&mut report);
    assert_eq!(verdict(&report, &[]), Ok(()), "it is listed");
    report.differences.push(wording("error.project.unknown"));
    deliberate().apply(&mut report);
    assert!(verdict(&report, &[]).is_err(), "it is not listed");
    // What is listed for its wording is not listed for another status.
    let mut report = Report { conversation: "errors".to_owned(), differences: vec![wording("error.method.options")], ..Report::default() };
    report.answers.insert("error.method.options".to_owned(), Got { status: 500, code: Some("METHOD_NOT_ALLOWED".to_owned()) });
    deliberate().apply(&mut report);
    assert!(verdict(&report, &[]).is_err_and(|trouble| trouble.contains("what is deliberate")));
}

/// A refusal has its code, and every difference its place: nothing else about a step is excused.
#[test]
fn deliberate_differences_say_what_is_answered_instead() {
    for entry in deliberate().entries {
        let at = format!("{} {}", entry.conversation, entry.step);
        assert!(entry.place.is_some(), "{at}: where is the difference?");
        assert_eq!(entry.code.is_some(), entry.status >= 400, "{at}: a refusal has a code, and nothing else has one");
    }
}
