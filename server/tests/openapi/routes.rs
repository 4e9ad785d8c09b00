//! What the router knows against what the document says. The routes are read from the sources of the nouns: a router cannot be asked for its routes,
//! and a handler without an annotation would be served, and be in none of the tests that go by the document (who may call what, bodies, lists).

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use berth::rest::BASE;

use super::facts::Document;

/// Served below [`BASE`] and no operations of the API.
const NO_OPERATIONS: [&str; 3] = ["GET /openapi.json", "GET /docs", "GET /docs/{file}"];

/// Outside of [`BASE`]: the forms of the portal's sessions and what Harbor has elsewhere. `mod.rs` names the doors themselves.
const ELSEWHERE: [&str; 15] = [
    "* /api",
    "* /api/{*rest}",
    "* /c/{*rest}",
    "GET /api/version",
    "GET /c/authproxy/redirect",
    "GET /c/log_out",
    "GET /c/oidc/callback",
    "GET /c/oidc/login",
    "GET /c/oidc/logout",
    "GET /devcenter-api-2.0",
    "POST /account/sign-in",
    "POST /account/sign-out",
    "POST /c/login",
    "POST /c/oidc/onboard",
    "POST /c/userExists",
];

const METHODS: [&str; 6] = ["get", "head", "post", "put", "patch", "delete"];

/// The sources of the REST door, without their tests.
fn sources() -> Vec<(PathBuf, String)> {
    let mut folders = vec![Path::new(env!("CARGO_MANIFEST_DIR")).join("src/rest")];
    let mut found = Vec::new();
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).expect("a folder") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|end| end == "rs") && !path.ends_with("rest/tests.rs") {
                let text = std::fs::read_to_string(&path).expect("a source");
                // What stands for tests alone comes last.
                let text = text.split("#[cfg(test)]\nmod tests {").next().unwrap_or_default().to_owned();
                found.push((path, text));
            }
        }
    }
    found
}

/// The text between the parenthesis that `text` begins after and its partner.
fn inside(text: &str) -> &str {
    let mut depth = 1;
    for (at, letter) in text.char_indices() {
        match letter {
            '(' => depth += 1,
            ')' => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return &text[..at];
        }
    }
    panic!("no end of {:?}", text.chars().take(80).collect::<String>())
}

/// The parts of `text` between commas that are in no parentheses.
fn arguments(text: &str) -> Vec<&str> {
    let (mut depth, mut from, mut parts) = (0, 0, Vec::new());
    for (at, letter) in text.char_indices() {
        match letter {
            '(' | '{' | '[' => depth += 1,
            ')' | '}' | ']' => depth -= 1,
            ',' if depth == 0 => {
                parts.push(text[from..at].trim());
                from = at + 1;
            }
            _ => {}
        }
    }
    parts.push(text[from..].trim());
    parts.retain(|part| !part.is_empty());
    parts
}

/// The path that an expression stands for: a text, a constant of the same source, or `format!` of both.
fn path(expression: &str, source: &str) -> String {
    if let Some(text) = expression.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')) {
        return text.to_owned();
    }
    if let Some(format) = expression.strip_prefix("&format!(\"").and_then(|rest| rest.strip_suffix("\")")) {
        let (name, rest) = format.strip_prefix('{').and_then(|rest| rest.split_once('}')).expect("a constant first");
        return path(name, source) + &rest.replace("{{", "{").replace("}}", "}");
    }
    let marker = format!("const {expression}: &str = ");
    let (_, rest) = source.split_once(&marker).unwrap_or_else(|| panic!("what is the path {expression}?"));
    path(rest.split(';').next().unwrap_or_default(), source)
}

/// The methods of `get(one).put(another)`.
fn methods(expression: &str) -> Vec<String> {
    let (mut found, mut rest) = (Vec::new(), expression);
    while let Some((name, after)) = rest.split_once('(') {
        let name = name.trim().trim_start_matches('.').trim();
        found.push(match name {
            "any_service" => "*".to_owned(),
            name if METHODS.contains(&name) => name.to_uppercase(),
            other => panic!("what does {other} answer in {expression}?"),
        });
        rest = &after[inside(after).len() + 1..];
    }
    found
}

/// `METHOD /path` of every route of a source.
fn routes(source: &str) -> Vec<String> {
    for other in [".route_service(", ".nest_service(", "method_routing", ".route_layer("] {
        assert!(!source.contains(other), "{other} is not understood by this test");
    }
    let mut found = Vec::new();
    for (at, call) in source.match_indices(".route(") {
        let [place, handlers] = arguments(inside(&source[at + call.len()..]))[..] else { panic!("a route has a path and handlers") };
        let place = path(place, source);
        found.extend(methods(handlers).into_iter().map(|method| format!("{method} {place}")));
    }
    found
}

#[test]
fn every_route_is_an_operation_of_the_document_and_every_operation_has_its_route() {
    let mut routed: BTreeMap<String, PathBuf> = BTreeMap::new();
    for (file, source) in sources() {
        for route in routes(&source) {
            assert!(!routed.contains_key(&route), "{route} stands twice");
            routed.insert(route, file.clone());
        }
    }
    // A slash at the end of a path is ignored.
    let operations: BTreeSet<String> = Document::served()
        .operations()
        .iter()
        .map(|operation| format!("{} {}", operation.method.to_uppercase(), operation.path.trim_end_matches('/')))
        .collect();
    assert!(operations.len() >= 90, "the document has only {} operations", operations.len());
    let known: BTreeSet<&str> = NO_OPERATIONS.into_iter().chain(ELSEWHERE).collect();
    let unannounced: Vec<_> = routed.iter().filter(|(route, _)| !operations.contains(*route) && !known.contains(route.as_str())).collect();
    assert!(
        unannounced.is_empty(),
        "routes that the document does not know (an annotation with utoipa::path is missing): {unannounced:#?}"
    );
    let unrouted: Vec<_> = operations.iter().filter(|operation| !routed.contains_key(*operation)).collect();
    assert!(unrouted.is_empty(), "operations without a route below {BASE}: {unrouted:#?}");
    let gone: Vec<_> = known.iter().filter(|route| !routed.contains_key(**route)).collect();
    assert!(gone.is_empty(), "exceptions that are no routes: {gone:#?}");
}

#[test]
fn routes_are_read_as_they_are_written() {
    let source = r#"
        const THINGS: &str = "/things";
        const OF: &str = "/things/{id}/parts";
        Router::new()
            .route(THINGS, get(list).post(make))
            .route(&format!("{OF}/{{part}}"), delete(remove))
            .route("/plain", get(async || Redirect::temporary(&format!("{BASE}{PLACE}"))))
            .route(
                "/long/{name}",
                put(change),
            )
            .route("/all", any_service(gate.clone()))
    "#;
    let expected = ["GET /things", "POST /things", "DELETE /things/{id}/parts/{part}", "GET /plain", "PUT /long/{name}", "* /all"];
    assert_eq!(routes(source), expected);
}
