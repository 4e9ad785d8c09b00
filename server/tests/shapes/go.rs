//! How Go reads JSON into typed fields: what is missing, null or unknown is let be, anything else must be of the field's type.

use serde_json::Value;

/// Types of fields: `"int"`, `"bool"`, `"string"`, `"time"`, `"any"`, a list of one type, an object of types, or `{"*": type}` for a map.
#[track_caller]
pub fn reads(value: &Value, shape: &Value) {
    let mut wrong = Vec::new();
    compare(value, shape, "", &mut wrong);
    assert!(wrong.is_empty(), "{}\nin {value:#}", wrong.join("\n"));
}

fn compare(value: &Value, shape: &Value, at: &str, wrong: &mut Vec<String>) {
    let fits = match (value, shape) {
        (Value::Null, _) => true,
        (value, Value::String(kind)) => match kind.as_str() {
            "int" => value.is_i64(),
            "bool" => value.is_boolean(),
            "string" => value.is_string(),
            "time" => value.as_str().is_some_and(is_time),
            "any" => true,
            other => panic!("no such type: {other}"),
        },
        (Value::Array(items), Value::Array(of)) => {
            items.iter().enumerate().for_each(|(index, item)| compare(item, &of[0], &format!("{at}[{index}]"), wrong));
            true
        }
        (Value::Object(fields), Value::Object(shapes)) => {
            for (name, field) in fields {
                if let Some(shape) = shapes.get(name).or_else(|| shapes.get("*")) {
                    compare(field, shape, &format!("{at}.{name}"), wrong);
                }
            }
            true
        }
        _ => false,
    };
    if !fits {
        wrong.push(format!("{at} is {value}, read as {shape}"));
    }
}

/// `2006-01-02T15:04:05.000Z` with any fraction, or none.
fn is_time(text: &str) -> bool {
    let digits = |range: std::ops::Range<usize>| text.get(range).is_some_and(|part| part.bytes().all(|byte| byte.is_ascii_digit()));
    let rest = text.get(19..).unwrap_or_default();
    let fraction = rest.strip_suffix('Z').map(|fraction| fraction.strip_prefix('.').unwrap_or(if fraction.is_empty() { "0" } else { "x" }));
    text.as_bytes().get(10) == Some(&b'T')
        && [0..4, 5..7, 8..10, 11..13, 14..16, 17..19].into_iter().all(digits)
        && fraction.is_some_and(|fraction| !fraction.is_empty() && fraction.bytes().all(|byte| byte.is_ascii_digit()))
}

#[test]
fn types_are_told_apart() {
    let shape = serde_json::json!({"id": "int", "at": "time", "tags": [{"name": "string"}], "hard": {"*": "int"}});
    reads(&serde_json::json!({"id": 1, "at": "2024-05-06T07:08:09.123Z", "tags": null, "more": [], "hard": {"storage": -1}}), &shape);
    let bad = serde_json::json!({"id": "1", "at": "yesterday", "tags": [{"name": 2}], "hard": {"storage": "x"}});
    let mut wrong = Vec::new();
    compare(&bad, &shape, "", &mut wrong);
    assert_eq!(wrong.len(), 4, "{wrong:?}");
}
