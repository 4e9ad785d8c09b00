//! Compares a recorded value with an answer's: markers, saved values, lists in any order, and how grave a difference is.

use std::sync::LazyLock;

use regex::Regex;
use serde_json::Value;

use super::values::{UUID_PATTERN, Values};
use super::{Finding, Kind};

static MARKER: LazyLock<Regex> = LazyLock::new(|| Regex::new("<(time|int|string|any|uuid|epoch|opaque)>").expect("pattern"));
static TIME: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)?$").expect("pattern"));
static UUID: LazyLock<Regex> = LazyLock::new(|| Regex::new(&format!("^(?:{UUID_PATTERN})$")).expect("pattern"));
static WORDING: LazyLock<Regex> = LazyLock::new(|| Regex::new(r"errors\[\d+\]\.message$").expect("pattern"));
static POSITION: LazyLock<Regex> = LazyLock::new(|| Regex::new(r"\[\d+\]").expect("pattern"));

/// Compares values; what differs is collected.
pub(super) struct Matcher<'v> {
    pub(super) values: &'v Values,
    /// Lists may come in any order.
    pub(super) unordered: bool,
}

impl Matcher<'_> {
    /// Compares `want`, as recorded, with `got`, found at `place`.
    pub(super) fn compare(&self, want: &Value, got: &Value, place: &str, out: &mut Vec<Finding>) {
        match want {
            Value::String(text) => self.compare_text(text, got, place, out),
            Value::Object(wanted) => {
                let Value::Object(found) = got else { return out.push(Finding::hard(place, want, got)) };
                for (key, want) in wanted {
                    let place = format!("{place}.{key}");
                    match found.get(key) {
                        Some(got) => self.compare(want, got, &place, out),
                        None => {
                            let kind = if is_nothing(want) { Kind::Soft } else { Kind::Hard };
                            out.push(Finding::new(kind, &place, want.to_string(), "(missing)"));
                        }
                    }
                }
                for (key, got) in found.iter().filter(|(key, _)| !wanted.contains_key(*key)) {
                    out.push(Finding::new(Kind::Extra, &format!("{place}.{key}"), "(not there)", got.to_string()));
                }
            }
            Value::Array(wanted) => self.compare_lists(wanted, got, place, out),
            _ if want == got => {}
            Value::Null if is_empty(got) => out.push(Finding::new(Kind::Soft, place, "null", got.to_string())),
            _ => out.push(Finding::hard(place, want, got)),
        }
    }

    fn compare_text(&self, want: &str, got: &Value, place: &str, out: &mut Vec<Finding>) {
        if let Some(found) = MARKER.captures(want).filter(|found| found[0].len() == want.len()) {
            if !fits(&found[1], got) {
                out.push(Finding::new(Kind::Hard, place, want, got.to_string()));
            }
            return;
        }
        if let Some(value) = self.values.whole(want) {
            if value != got {
                out.push(Finding::new(Kind::Hard, place, format!("{want} = {value}"), got.to_string()));
            }
            return;
        }
        let text = match self.values.fill(want) {
            Ok(text) => text,
            Err(reason) => return out.push(Finding::new(Kind::Hard, place, reason, got.to_string())),
        };
        let same = got.as_str().is_some_and(|got| if MARKER.is_match(&text) { marked_pattern(&text).is_match(got) } else { text == got });
        if !same {
            let wording = got.is_string() && WORDING.is_match(place);
            let kind = if wording { Kind::Message } else { Kind::Hard };
            out.push(Finding::new(kind, place, Value::from(text).to_string(), got.to_string()));
        }
    }

    fn compare_lists(&self, wanted: &[Value], got: &Value, place: &str, out: &mut Vec<Finding>) {
        let Value::Array(found) = got else {
            let kind = if wanted.is_empty() && got.is_null() { Kind::Soft } else { Kind::Hard };
            return out.push(Finding::new(kind, place, Value::from(wanted).to_string(), got.to_string()));
        };
        if wanted.len() != found.len() {
            return out.push(Finding::new(Kind::Hard, place, format!("{} items", wanted.len()), format!("{} items: {got}", found.len())));
        }
        let mut rest: Vec<&Value> = found.iter().collect();
        for (position, want) in wanted.iter().enumerate() {
            let place = format!("{place}[{position}]");
            let trial = |got: &Value| {
                let mut trial = Vec::new();
                self.compare(want, got, &place, &mut trial);
                trial
            };
            // In any order, an item is compared with the first one left that resembles it most.
            let (taken, findings) = if self.unordered {
                let trials = rest.iter().map(|got| trial(got)).enumerate();
                let Some(best) = trials.min_by_key(|(_, findings)| hard_count(findings)) else { return };
                best
            } else {
                (0, trial(rest[0]))
            };
            rest.remove(taken);
            out.extend(findings);
        }
    }
}

fn hard_count(findings: &[Finding]) -> usize {
    findings.iter().filter(|finding| finding.kind == Kind::Hard).count()
}

/// Whether a value is what a marker stands for.
fn fits(marker: &str, got: &Value) -> bool {
    match marker {
        "time" => got.as_str().is_some_and(|text| TIME.is_match(text)),
        "int" | "epoch" => got.is_i64() || got.is_u64(),
        "string" => got.as_str().is_some_and(|text| !text.is_empty()),
        "uuid" => got.as_str().is_some_and(|text| UUID.is_match(text)),
        "opaque" => got.is_string(),
        _ => true,
    }
}

/// What a text with markers in it matches, from end to end.
fn marked_pattern(text: &str) -> Regex {
    let mut pattern = String::from("(?s)^");
    let mut last = 0;
    for found in MARKER.captures_iter(text) {
        let whole = found.get(0).expect("group 0 is the match");
        pattern.push_str(&regex::escape(&text[last..whole.start()]));
        pattern.push_str(match &found[1] {
            "int" => r"\d+",
            "uuid" => UUID_PATTERN,
            "opaque" => "[^&]+",
            _ => ".+",
        });
        last = whole.end();
    }
    pattern.push_str(&regex::escape(&text[last..]));
    pattern.push('$');
    Regex::new(&pattern).expect("escaped text and fixed patterns")
}

/// What Harbor sends where another server may leave the field out.
fn is_nothing(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Bool(value) => !value,
        Value::Number(number) => number.as_f64() == Some(0.0),
        other => is_empty(other),
    }
}

fn is_empty(value: &Value) -> bool {
    match value {
        Value::String(text) => text.is_empty(),
        Value::Array(items) => items.is_empty(),
        Value::Object(map) => map.is_empty(),
        _ => false,
    }
}

/// Whether a place is below one of `patterns`: `body[0].id`, or `body[*].id` for every item of a list.
pub(super) fn is_ignored(place: &str, patterns: &[String]) -> bool {
    let every = POSITION.replace_all(place, "[*]");
    patterns.iter().any(|pattern| place.starts_with(pattern.as_str()) || every.starts_with(pattern.as_str()))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn values() -> Values {
        let mut values = Values::new("http", "127.0.0.1:81", "pw", &[]);
        values.vars.set("project_id", Value::from(7));
        values.vars.set("name", Value::from("north"));
        values
    }

    fn compared(want: &Value, got: &Value, unordered: bool) -> Vec<(Kind, String)> {
        let mut out = Vec::new();
        Matcher { values: &values(), unordered }.compare(want, got, "body", &mut out);
        out.into_iter().map(|finding| (finding.kind, finding.place)).collect()
    }

    #[test]
    fn markers_stand_for_what_fits() {
        let uuid = "0f0e0d0c-0b0a-0908-0706-050403020100";
        let fitting = [
            ("<time>", json!("2026-01-02T03:04:05.678Z")),
            ("<time>", json!("2026-01-02T03:04:05+01:00")),
            ("<time>", json!("2026-01-02T03:04:05")),
            ("<int>", json!(-3)),
            ("<int>", json!(u64::MAX)),
            ("<epoch>", json!(1_700_000_000)),
            ("<uuid>", json!(uuid)),
            ("<string>", json!("x")),
            ("<opaque>", json!("")),
            ("<any>", json!(null)),
            ("<any>", json!([1])),
            ("/p/<int>/<uuid>?_state=<opaque>", json!(format!("/p/12/{uuid}?_state=a%3D+b"))),
            ("at <time> (a+b)", json!("at 10:00\nor so (a+b)")),
            ("${project_id}", json!(7)),
            ("${name}", json!("north")),
            ("/projects/${project_id}/${name}", json!("/projects/7/north")),
            ("${scheme}://${host}/v2/", json!("http://127.0.0.1:81/v2/")),
        ];
        for (want, got) in fitting {
            assert_eq!(compared(&json!(want), &got, false), [], "{want} {got}");
        }
        let unfitting = [
            ("<time>", json!("2026-01-02 03:04:05")),
            ("<time>", json!(5)),
            ("<int>", json!(1.0)),
            ("<int>", json!("1")),
            ("<int>", json!(true)),
            ("<epoch>", json!("1700000000")),
            ("<uuid>", json!(uuid.to_uppercase())),
            ("<uuid>", json!(format!("{uuid} "))),
            ("<string>", json!("")),
            ("<string>", json!(null)),
            ("<opaque>", json!(1)),
            ("/p/<int>", json!("/p/x")),
            ("/p/<int>", json!("/p/1/2")),
            ("a=<opaque>&b=1", json!("a=1&2&b=1")),
            ("at <any>", json!("at ")),
            ("${project_id}", json!("7")),
            ("${project_id}", json!(8)),
            ("${unknown}", json!("x")),
            ("/x/${unknown}", json!("/x/")),
            ("north", json!("North")),
        ];
        for (want, got) in unfitting {
            assert_eq!(compared(&json!(want), &got, false), [(Kind::Hard, "body".to_owned())], "{want} {got}");
        }
    }

    #[test]
    fn differences_have_their_weight() {
        use Kind::{Extra, Hard, Message, Soft};
        let same = [(json!({"a": [1, {"b": null}], "c": 1.5}), json!({"c": 1.5, "a": [1, {"b": null}]})), (json!([]), json!([]))];
        for (want, got) in same {
            assert_eq!(compared(&want, &got, false), [], "{want}");
        }
        let cases = [
            (json!({"a": 1}), json!({"a": 1, "b": 2}), Extra, "body.b"),
            (json!({"a": 1}), json!({}), Hard, "body.a"),
            (json!({"a": "<int>"}), json!({}), Hard, "body.a"),
            (json!({"a": null}), json!({}), Soft, "body.a"),
            (json!({"a": []}), json!({}), Soft, "body.a"),
            (json!({"a": {}}), json!({}), Soft, "body.a"),
            (json!({"a": ""}), json!({}), Soft, "body.a"),
            (json!({"a": 0}), json!({}), Soft, "body.a"),
            (json!({"a": false}), json!({}), Soft, "body.a"),
            (json!({"a": []}), json!({"a": null}), Soft, "body.a"),
            (json!({"a": null}), json!({"a": []}), Soft, "body.a"),
            (json!({"a": null}), json!({"a": {}}), Soft, "body.a"),
            (json!({"a": null}), json!({"a": ""}), Soft, "body.a"),
            (json!({"a": null}), json!({"a": 0}), Hard, "body.a"),
            (json!({"a": null}), json!({"a": false}), Hard, "body.a"),
            (json!({"a": {}}), json!({"a": null}), Hard, "body.a"),
            (json!({"a": ""}), json!({"a": null}), Hard, "body.a"),
            (json!({"a": 0}), json!({"a": false}), Hard, "body.a"),
            (json!({"a": 1}), json!({"a": 1.0}), Hard, "body.a"),
            (json!({"a": 1}), json!({"a": "1"}), Hard, "body.a"),
            (json!({"a": []}), json!({"a": ""}), Hard, "body.a"),
            (json!({"a": [1]}), json!({"a": null}), Hard, "body.a"),
            (json!([1, 2]), json!([1]), Hard, "body"),
            (json!([1, 2]), json!([2, 2]), Hard, "body[0]"),
            (json!({}), json!([]), Hard, "body"),
            (json!({"errors": [{"message": "a"}]}), json!({"errors": [{"message": "b"}]}), Message, "body.errors[0].message"),
            (json!({"errors": [{"message": "a"}]}), json!({"errors": [{"message": 1}]}), Hard, "body.errors[0].message"),
            (json!({"errors": [{"code": "A"}]}), json!({"errors": [{"code": "B"}]}), Hard, "body.errors[0].code"),
            (json!({"message": "a"}), json!({"message": "b"}), Hard, "body.message"),
        ];
        for (want, got, kind, place) in cases {
            assert_eq!(compared(&want, &got, false), [(kind, place.to_owned())], "{want} {got}");
        }
    }

    #[test]
    fn lists_may_come_in_any_order() {
        let want = json!([{"name": "a", "tags": [1, 2]}, {"name": "b", "tags": []}, {"name": "<string>", "tags": [3]}]);
        let got = json!([{"name": "c", "tags": [3]}, {"name": "b", "tags": []}, {"name": "a", "tags": [2, 1]}]);
        assert_eq!(compared(&want, &got, true), []);
        assert!(!compared(&want, &got, false).is_empty());
        let other = json!([{"name": "c", "tags": [3]}, {"name": "b", "tags": []}, {"name": "a", "tags": [5, 2]}]);
        assert_eq!(compared(&want, &other, true), [(Kind::Hard, "body[0].tags[0]".to_owned())]);
        assert_eq!(compared(&json!([1, 2]), &json!([1]), true), [(Kind::Hard, "body".to_owned())]);
    }

    #[test]
    fn places_are_ignored_by_prefix() {
        let patterns = ["body[*].pid".to_owned(), "body.list[0]".to_owned(), "Etag".to_owned()];
        for place in ["body[3].pid", "body[0].pid.x", "body.list[0].a"] {
            assert!(is_ignored(place, &patterns), "{place}");
        }
        for place in ["body.pid", "body.list[1].a", "header Etag", "body"] {
            assert!(!is_ignored(place, &patterns), "{place}");
        }
    }
}
