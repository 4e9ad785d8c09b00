//! The rooms and who may use whom, as `docs/architecture.md` has them; the browser's graph; the migrations' twins.

use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::Command;

/// Crate, what it may always use, and what it may use only behind a feature.
const MAY_USE: &[(&str, &[&str], &[&str])] = &[
    ("model", &[], &[]),
    ("oci", &[], &[]),
    ("blob", &["oci"], &[]),
    ("store", &["model"], &[]),
    ("service", &["store", "blob", "oci", "model"], &[]),
    ("app", &["model"], &["service"]),
    ("frontend", &["app"], &[]),
    ("berth", &["app", "service", "store", "blob", "oci", "model"], &[]),
    ("testkit", &["berth", "app", "service", "store", "blob", "oci", "model"], &[]),
    ("xtask", &[], &[]),
];

/// What must never reach the browser.
const NOT_IN_THE_BROWSER: &[&str] = &[
    "tokio",
    "sqlx",
    "sqlx-core",
    "libsqlite3-sys",
    "axum",
    "hyper",
    "rustls",
    "aws-lc-rs",
    "reqwest",
    "service",
    "store",
    "blob",
    "oci",
    "moka",
];

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the crate lies in the checkout")
}

fn cargo(arguments: &[&str]) -> String {
    let output = Command::new(env!("CARGO")).args(arguments).current_dir(root()).output().expect("cargo runs");
    assert!(output.status.success(), "cargo {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).expect("cargo writes UTF-8")
}

/// The workspace's packages from `cargo metadata`.
fn packages() -> Vec<Value> {
    let text = cargo(&["metadata", "--format-version", "1", "--no-deps"]);
    let mut metadata: Value = serde_json::from_str(&text).expect("cargo metadata is JSON");
    match metadata["packages"].take() {
        Value::Array(packages) => packages,
        other => panic!("no packages in cargo metadata but {other}"),
    }
}

/// Every use of one room by another that the table does not allow.
fn forbidden(packages: &[Value]) -> Vec<String> {
    let rooms: BTreeSet<&str> = packages.iter().filter_map(|package| package["name"].as_str()).collect();
    let table: BTreeMap<&str, (&[&str], &[&str])> = MAY_USE.iter().map(|(name, always, gated)| (*name, (*always, *gated))).collect();
    let mut found = Vec::new();
    for package in packages {
        let name = package["name"].as_str().unwrap_or_default();
        let Some((always, gated)) = table.get(name) else {
            found.push(format!("{name} is not in the table of rooms"));
            continue;
        };
        for dependency in package["dependencies"].as_array().into_iter().flatten() {
            let used = dependency["name"].as_str().unwrap_or_default();
            if !rooms.contains(used) || always.contains(&used) {
                continue;
            }
            let optional = dependency["optional"] == true && gated.contains(&used);
            let in_tests = dependency["kind"] == "dev" && used == "testkit";
            if !optional && !in_tests {
                found.push(format!("{name} uses {used}"));
            }
        }
    }
    found
}

#[test]
fn every_room_uses_only_what_it_may() {
    let found = forbidden(&packages());
    assert!(found.is_empty(), "against docs/architecture.md: {found:#?}");
}

#[test]
fn the_check_sees_a_forbidden_use() {
    let package = |name: &str, uses: Value| serde_json::json!({"name": name, "dependencies": uses});
    let service = |optional: bool| serde_json::json!([{"name": "service", "kind": null, "optional": optional}]);
    let others = [package("service", Value::Null), package("testkit", Value::Null)];
    let with = |first: Value| forbidden(&[&[first], &others[..]].concat());
    assert_eq!(with(package("model", service(false))), ["model uses service"]);
    assert_eq!(with(package("app", service(false))), ["app uses service"]);
    assert!(with(package("app", service(true))).is_empty());
    let testkit = serde_json::json!([{"name": "testkit", "kind": null, "optional": false}]);
    assert_eq!(with(package("store", testkit)), ["store uses testkit"]);
    assert_eq!(with(package("cellar", Value::Null)), ["cellar is not in the table of rooms"]);
}

#[test]
fn the_table_in_the_documentation_names_the_same_rooms() {
    let text = std::fs::read_to_string(root().join("docs/architecture.md")).expect("docs/architecture.md");
    for (name, ..) in MAY_USE {
        let folder = if *name == "berth" { "server" } else { name };
        let listed = text.lines().any(|line| line.starts_with("| `") && line.split('|').nth(1).is_some_and(|cell| cell.contains(folder)));
        assert!(listed, "docs/architecture.md has no row for {folder}");
    }
}

#[test]
fn the_browser_gets_nothing_of_the_server() {
    let tree = cargo(&["tree", "-p", "frontend", "--target", "wasm32-unknown-unknown", "-e", "normal", "--prefix", "none", "-f", "{p}"]);
    let crates: BTreeSet<&str> = tree.lines().filter_map(|line| line.split(' ').next()).collect();
    assert!(crates.contains("app") && crates.contains("leptos"), "cargo tree shows no portal:\n{tree}");
    let leaked: Vec<_> = NOT_IN_THE_BROWSER.iter().filter(|name| crates.contains(*name)).collect();
    assert!(leaked.is_empty(), "in the browser's graph: {leaked:?}");
}

/// File names of a folder of migrations, sorted.
fn migrations(engine: &str) -> Vec<String> {
    let folder: PathBuf = root().join("migrations").join(engine);
    let entries = std::fs::read_dir(&folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let mut names: Vec<String> = entries.map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned()).collect();
    names.sort();
    names
}

#[test]
fn both_engines_have_the_same_migrations() {
    let (sqlite, postgres) = (migrations("sqlite"), migrations("postgres"));
    assert_eq!(sqlite, postgres);
    let numbers: Vec<&str> = sqlite.iter().filter_map(|name| name.split('_').next()).collect();
    let distinct: BTreeSet<_> = numbers.iter().collect();
    assert!(!numbers.is_empty() && distinct.len() == numbers.len(), "numbers must exist and be given once: {sqlite:?}");
}
