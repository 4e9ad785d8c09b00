//! The served OpenAPI document against Harbor's: for every operation that is built the same operationId, tag, parameters, statuses, bodies and
//! models, so that a client generated from it is Harbor's client. What differs is in `openapi/deliberate.toml`, each with its reason.
//! And that the router knows the same operations, and the coverage: which operation is verified by which recorded conversation (`docs/reference/api-coverage.md`).

#[path = "openapi/coverage.rs"]
mod coverage;
#[path = "openapi/facts.rs"]
mod facts;
#[path = "openapi/routes.rs"]
mod routes;

use std::collections::{BTreeMap, BTreeSet};

use facts::{Document, Harbor, Model, Operation, Parameter, data};
use serde::Deserialize;
use serde_json::Value;

/// A difference that is meant, or several: `*` in `at` stands for anything.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Deliberate {
    at: String,
    reason: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct List {
    difference: Vec<Deliberate>,
    status: Vec<ExtraStatus>,
}

/// A status that operations declare, although Harbor does not and no recorded conversation has it of them.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct ExtraStatus {
    status: u16,
    reason: String,
    /// Their ids.
    operations: BTreeSet<String>,
}

impl List {
    fn load() -> Self {
        let text = std::fs::read_to_string(data().join("deliberate.toml")).expect("the list");
        toml::from_str(&text).expect("a list in its form")
    }
}

impl Deliberate {
    fn covers(&self, place: &str) -> bool {
        let mut parts = self.at.split('*');
        let Some(mut rest) = place.strip_prefix(parts.next().unwrap_or_default()) else { return false };
        let parts: Vec<_> = parts.collect();
        let Some((last, middle)) = parts.split_last() else { return rest.is_empty() };
        for part in middle {
            match rest.split_once(part) {
                Some((_, after)) => rest = after,
                None => return false,
            }
        }
        rest.ends_with(last)
    }
}

/// The differences: place, and what is there.
#[derive(Default)]
struct Differences(Vec<(String, String)>);

impl Differences {
    fn say(&mut self, place: impl Into<String>, what: impl Into<String>) {
        self.0.push((place.into(), what.into()));
    }

    fn same<T: PartialEq + std::fmt::Debug>(&mut self, place: String, ours: &T, theirs: &T) {
        if ours != theirs {
            self.say(place, format!("{ours:?} here, {theirs:?} there"));
        }
    }
}

fn name(operation: &Operation) -> String {
    format!("{} {}", operation.method, operation.id)
}

fn compare_operation(harbor: &Harbor, ours: &Operation, theirs: &Operation, differences: &mut Differences) {
    let at = name(theirs);
    differences.same(format!("{at} operationId"), &ours.id, &theirs.id);
    differences.same(format!("{at} tag"), &ours.tag, &theirs.tag);
    differences.same(format!("{at} deprecated"), &ours.deprecated, &theirs.deprecated);
    let plain = |kind: &Option<String>| kind.as_deref().map(|kind| harbor.plain(kind));
    differences.same(format!("{at} body"), &plain(&ours.body), &plain(&theirs.body));
    compare_parameters(harbor, (&at, ours, theirs), differences);
    for (status, kind) in &theirs.answers {
        match ours.answers.get(status) {
            None => differences.say(format!("{at} lacks {status}"), "declared there, not here"),
            Some(our_kind) => differences.same(format!("{at} answer {status}"), &plain(our_kind), &plain(kind)),
        }
    }
    for (status, headers) in &theirs.headers {
        let ours = ours.headers.get(status);
        for header in headers.iter().filter(|header| *header != "Content-Type" && !ours.is_some_and(|ours| ours.contains(header))) {
            differences.say(format!("{at} answer {status} header {header}"), "declared there, not here");
        }
    }
    if !theirs.produces.is_empty() {
        differences.same(format!("{at} produces"), &ours.produces, &theirs.produces);
    }
}

fn compare_parameters(harbor: &Harbor, (at, ours, theirs): (&str, &Operation, &Operation), differences: &mut Differences) {
    let table = |operation: &Operation| -> BTreeMap<(String, String), Parameter> {
        operation.parameters.iter().map(|p| ((p.name.clone(), p.place.clone()), p.clone())).collect()
    };
    let (ours, theirs) = (table(ours), table(theirs));
    let all: BTreeSet<_> = ours.keys().chain(theirs.keys()).collect();
    for key in all {
        let place = format!("{at} parameter {}", key.0);
        match (ours.get(key), theirs.get(key)) {
            (Some(ours), Some(theirs)) => {
                let plain = |p: &Parameter| (harbor.plain(&p.kind), p.required, p.default.clone());
                differences.same(place, &plain(ours), &plain(theirs));
            }
            (None, _) => differences.say(place, "there, not here"),
            (_, None) => differences.say(place, "here, not there"),
        }
    }
}

fn compare_models(harbor: &Harbor, document: &Document, differences: &mut Differences) {
    for (name, ours) in document.models() {
        let Some(Model::Fields(theirs)) = harbor.models.get(&name) else {
            differences.say(format!("model {name}"), "here, not there");
            continue;
        };
        let all: BTreeSet<_> = ours.keys().chain(theirs.keys()).collect();
        for field in all {
            let place = format!("model {name} field {field}");
            match (ours.get(field), theirs.get(field)) {
                (Some(ours), Some(theirs)) => differences.same(place, &harbor.plain(ours), &harbor.plain(theirs)),
                (None, _) => differences.say(place, "there, not here"),
                (_, None) => differences.say(place, "here, not there"),
            }
        }
    }
    for (name, schema) in document.schemas() {
        let required: BTreeSet<String> = schema["required"].as_array().into_iter().flatten().map(|f| f.as_str().unwrap().into()).collect();
        let theirs = harbor.required.get(name).cloned().unwrap_or_default();
        differences.same(format!("model {name} required"), &required, &theirs);
        for (field, schema) in schema["properties"].as_object().into_iter().flatten() {
            for (limit, value) in harbor.limits.get(&format!("{name}.{field}")).into_iter().flatten() {
                differences.same(format!("model {name} field {field} {limit}"), &schema[limit], value);
            }
        }
    }
}

fn differences() -> Differences {
    let (harbor, document) = (Harbor::load(), Document::served());
    let mut differences = Differences::default();
    for ours in document.operations() {
        match harbor.operations.iter().find(|theirs| theirs.method == ours.method && theirs.path == ours.path) {
            Some(theirs) => compare_operation(&harbor, &ours, theirs, &mut differences),
            None => differences.say(name(&ours), format!("{} is no operation of Harbor's", ours.path)),
        }
    }
    compare_models(&harbor, &document, &mut differences);
    differences
}

#[test]
fn the_document_is_harbors_but_for_what_is_meant() {
    let list = List::load();
    assert!(list.difference.iter().all(|entry| entry.reason.len() > 10), "every difference has its reason");
    let differences = differences();
    let left: Vec<_> = differences.0.iter().filter(|(place, _)| !list.difference.iter().any(|entry| entry.covers(place))).collect();
    let text: Vec<_> = left.iter().map(|(place, what)| format!("{place}: {what}")).collect();
    assert!(left.is_empty(), "{} differences that nobody meant:\n{}", left.len(), text.join("\n"));
    let unused: Vec<_> = list.difference.iter().filter(|entry| !differences.0.iter().any(|(place, _)| entry.covers(place))).collect();
    assert!(unused.is_empty(), "nothing differs any more at {unused:?}");
}

/// Every status that an operation declares is declared by Harbor, or was recorded of this operation, or is named for it with a reason.
#[test]
fn a_status_that_harbor_does_not_declare_was_recorded_or_is_named() {
    let (harbor, list) = (Harbor::load(), List::load());
    assert!(list.status.iter().all(|entry| entry.reason.len() > 10), "every status has its reason");
    let ours = Document::served().operations();
    let recorded = coverage::recorded(&ours);
    let mut extra = BTreeSet::new();
    for operation in &ours {
        let theirs = harbor.operations.iter().find(|theirs| theirs.method == operation.method && theirs.path == operation.path);
        let was_recorded = |status: u16| recorded.get(&operation.id).is_some_and(|recorded| recorded.statuses.contains_key(&status));
        for status in operation.answers.keys().filter(|status| theirs.is_some_and(|theirs| !theirs.answers.contains_key(*status))) {
            let status: u16 = status.parse().expect("a status");
            if !was_recorded(status) {
                extra.insert((status, operation.id.clone()));
            }
        }
    }
    let named: Vec<_> =
        list.status.iter().flat_map(|entry| entry.operations.iter().map(|operation| (entry.status, operation.clone()))).collect();
    let named_once: BTreeSet<_> = named.iter().cloned().collect();
    assert_eq!(named.len(), named_once.len(), "an operation is named twice for a status");
    let missing: Vec<_> = extra.difference(&named_once).collect();
    assert!(missing.is_empty(), "{} statuses that nobody recorded or meant: {missing:?}", missing.len());
    let stale: Vec<_> = named_once.difference(&extra).collect();
    assert!(stale.is_empty(), "named, but recorded or not declared: {stale:?}");
}

#[test]
fn references_lead_somewhere_and_identifiers_are_unique() {
    fn references<'a>(value: &'a Value, into: &mut BTreeSet<&'a str>) {
        match value {
            Value::Object(object) => {
                into.extend(object.get("$ref").and_then(Value::as_str));
                object.values().for_each(|value| references(value, into));
            }
            Value::Array(items) => items.iter().for_each(|value| references(value, into)),
            _ => {}
        }
    }
    let document = Document::served();
    let models: BTreeSet<String> = document.schemas().map(|(name, _)| format!("#/components/schemas/{name}")).collect();
    let mut used = BTreeSet::new();
    references(&document.0, &mut used);
    assert!(used.len() > 20);
    assert_eq!(used.iter().filter(|reference| !models.contains(**reference)).collect::<Vec<_>>(), Vec::<&&str>::new());
    let operations = document.operations();
    let identifiers: BTreeSet<_> = operations.iter().map(|operation| &operation.id).collect();
    assert_eq!(identifiers.len(), operations.len());
}

#[test]
fn the_document_is_of_openapi_3_0() {
    fn null_types(value: &Value) -> usize {
        match value {
            Value::Object(object) => {
                usize::from(object.get("type").is_some_and(|kind| kind.is_array() || kind == "null"))
                    + object.values().map(null_types).sum::<usize>()
            }
            Value::Array(items) => items.iter().map(null_types).sum(),
            other => usize::from(other.is_null()),
        }
    }
    let Document(document) = Document::served();
    assert_eq!(document["openapi"], "3.0.3");
    assert_eq!(null_types(&document["components"]) + null_types(&document["paths"]), 0);
    assert_eq!(document["components"]["securitySchemes"]["basic"]["scheme"], "basic");
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            for (status, response) in operation["responses"].as_object().unwrap() {
                assert!(response["description"].as_str().is_some_and(|text| !text.is_empty()), "{method} {path} {status}");
                assert!(response["headers"]["X-Request-Id"].is_object(), "{method} {path} {status}");
            }
        }
    }
}

#[test]
fn numbers_are_of_64_bits() {
    let document = Document::served();
    for operation in document.operations() {
        for parameter in operation.parameters.iter().filter(|p| p.kind.starts_with("integer")) {
            assert_eq!(parameter.kind, "integer:int64", "{} {}", name(&operation), parameter.name);
        }
    }
    for (model, fields) in document.models() {
        for (field, kind) in fields.iter().filter(|(_, kind)| kind.contains("integer")) {
            assert!(kind.contains("integer:int64"), "{model}.{field}: {kind}");
        }
    }
}

#[test]
fn entries_of_the_list_stand_for_what_they_say() {
    let covers = |at: &str, place: &str| Deliberate { at: at.to_owned(), reason: String::new() }.covers(place);
    assert!(covers("get getUser lacks 400", "get getUser lacks 400") && !covers("get getUser lacks 40", "get getUser lacks 400"));
    assert!(covers("* status 422", "get getUser status 422") && !covers("* status 422", "get getUser status 422 x"));
    assert!(covers("post * status 4*", "post makeThing status 409") && !covers("post * status 4*", "put makeThing status 409"));
}
